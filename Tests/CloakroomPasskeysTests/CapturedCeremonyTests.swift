import CloakroomCore
import CloakroomTokens
import Testing

@testable import CloakroomPasskeys

/// What browsers sent, and what must be refused of it.
@Suite struct CapturedCeremonyTests {
    private let captured: Captured

    init() throws {
        captured = try Captured()
    }

    @Test("all registrations of Chromium and Firefox are verified, with what they say about the passkey")
    func registrations() throws {
        #expect(captured.registrations.count == 5)
        for recorded in captured.registrations {
            let ceremony = try recorded.registration()
            let verified = try ceremony.verify(RegistrationResponse(parsing: recorded.body), isKnown: false)
            #expect(verified.attestation == .none)
            let passkey = verified.passkey
            #expect(passkey.user == ceremony.user && passkey.publicKey.algorithm == .es256)
            #expect(try COSEKey(parsing: passkey.publicKey.encoded) == passkey.publicKey)
            guard recorded.members["expect"] != nil else { continue }
            let seen: JSONObject = [
                "alg": .integer(passkey.publicKey.algorithm.rawValue), "fmt": "none",
                "aaguid": .string(hexadecimal(passkey.aaguid)), "up": true,
                "uv": .bool(passkey.isUserVerificationInitialized), "be": .bool(passkey.isBackupEligible),
                "bs": .bool(passkey.isBackedUp), "signCount": .integer(Int64(passkey.signCount)),
                "rk": passkey.isDiscoverable.map { .bool($0) } ?? .null,
                "transports": .array(passkey.transports.map { .string($0) }),
            ]
            #expect(seen == recorded.expected, "\(recorded.id)")
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test("all assertions are verified, each with the passkey as the one before has left it")
    func assertions() throws {
        #expect(captured.assertions.count == 7)
        var passkeys: [String: Passkey] = [:]
        for recorded in captured.assertions {
            let passkey = try passkeys[recorded.base] ?? captured.passkey(recorded.base)
            let response = try AuthenticationResponse(parsing: recorded.body)
            let verified = try recorded.authentication(of: passkey).verify(response, by: passkey)
            #expect(verified.counter == .increased && verified.user == passkey.user)
            let updated = verified.passkey(besideAnotherFactor: false)
            let seen: JSONObject = [
                "up": true, "uv": .bool(verified.isUserVerified), "be": .bool(updated.isBackupEligible),
                "bs": .bool(updated.isBackedUp), "signCount": .integer(Int64(updated.signCount)),
                "userHandle": response.userHandle.map { .string($0.description) } ?? .null,
            ]
            #expect(seen == recorded.expected, "\(recorded.id)")
            passkeys[recorded.base] = updated
        }
    }

    private static let duplicateMember = PasskeyRefusal.clientData("is not strict JSON: a member name stands twice")

    static let authenticationRows: [(String, PasskeyRefusal)] = [
        ("a-type", .wrongType), ("a-challenge", .wrongChallenge), ("a-challenge-padded", .wrongChallenge),
        ("a-origin-port", .wrongOrigin), ("a-origin-slash", .wrongOrigin), ("a-origin-case", .wrongOrigin),
        ("a-crossorigin", .crossOrigin), ("a-toporigin", .crossOrigin), ("a-duplicate-member", duplicateMember),
        ("a-rpid", .wrongRelyingParty), ("a-no-up", .userNotPresent), ("a-no-uv", .userNotVerified),
        ("a-bs-without-be", .backedUpButNotEligible), ("a-be-changed", .backupEligibilityChanged),
        ("a-signature", .badSignature), ("a-other-key", .badSignature), ("a-raw-signature", .badSignature),
        ("a-zero-signature", .badSignature), ("a-trailing-signature", .badSignature), ("a-hash", .badSignature),
        ("a-count", .counterNotIncreased), ("a-user", .wrongUser), ("a-no-user", .missingUserHandle),
        ("a-not-allowed", .credentialNotAllowed), ("a-id", .differentIDs),
        ("a-truncated", .authenticatorData(.truncated)), ("a-trailing", .authenticatorData(.trailingBytes)),
        ("a-ed-empty", .authenticatorData(.extensions(.truncated))), ("firefox-uv-required", .userNotVerified),
        ("chromium-iframe", .crossOrigin),
    ]

    static let registrationRows: [(String, PasskeyRefusal)] = [
        ("r-type", .wrongType), ("r-challenge", .wrongChallenge), ("r-origin", .wrongOrigin),
        ("r-crossorigin", .crossOrigin), ("r-rpid", .wrongRelyingParty), ("r-no-up", .userNotPresent),
        ("r-no-uv", .userNotVerified), ("r-bs-without-be", .backedUpButNotEligible),
        ("r-alg-not-offered", .algorithmNotOffered), ("r-crv-mismatch", .credentialKey(.wrongCurve)),
        ("r-off-curve", .credentialKey(.notOnCurve)), ("r-compressed", .credentialKey(.wrongLength)),
        ("r-short-coordinate", .credentialKey(.wrongLength)), ("r-private-part", .credentialKey(.parameters)),
        ("r-trailing", .attestationObject(.trailingBytes)),
        ("r-trailing-authdata", .authenticatorData(.trailingBytes)),
        ("r-indefinite", .attestationObject(.indefiniteLength)), ("r-duplicate-key", .attestationObject(.duplicateKey)),
        ("r-not-minimal", .authenticatorData(.key(.notShortest))),
        ("r-key-order", .authenticatorData(.key(.unorderedKeys))), ("r-depth", .attestationObject(.tooDeep)),
        ("r-long-string", .attestationObject(.truncated)), ("r-none-with-statement", .attestation(.statementNotEmpty)),
        ("r-packed-forged", .attestation(.badSignature)), ("r-unknown-format", .attestation(.unknownFormat)),
        ("r-long-id", .credentialIDLength), ("r-id-length", .authenticatorData(.truncated)),
        ("r-no-at", .authenticatorData(.trailingBytes)), ("r-id", .wrongCredentialID), ("r-known", .knownCredential),
    ]

    @Test("every authentication that must be refused is, by the check that is meant", arguments: authenticationRows)
    func refusedAuthentication(_ id: String, _ expected: PasskeyRefusal) throws {
        let recorded = try #require(captured.refused.first { $0.id == id && !$0.isRegistration })
        let passkey = try captured.passkey(of: recorded)
        let ceremony = try recorded.authentication(of: passkey)
        let seen = refusal { _ = try ceremony.verify(AuthenticationResponse(parsing: recorded.body), by: passkey) }
        #expect(seen == expected)
    }

    @Test("every registration that must be refused is, by the check that is meant", arguments: registrationRows)
    func refusedRegistration(_ id: String, _ expected: PasskeyRefusal) throws {
        let recorded = try #require(captured.refused.first { $0.id == id && $0.isRegistration })
        let ceremony = try recorded.registration()
        let response = Result { try RegistrationResponse(parsing: recorded.body) }
        let seen = refusal { _ = try ceremony.verify(response.get(), isKnown: recorded.isKnown) }
        #expect(seen == expected)
    }

    @Test("the two tables have all sixty cases, and each refusal names the step that the case names")
    func complete() throws {
        let table = Dictionary(uniqueKeysWithValues: Self.authenticationRows + Self.registrationRows)
        #expect(captured.refused.count == 60)
        #expect(Set(captured.refused.map(\.id)) == Set(table.keys))
        for recorded in captured.refused where recorded.step.hasPrefix("7.") {
            let chapter = recorded.step.prefix(3)
            let number = recorded.step.split { !$0.isNumber }.dropFirst(2).first ?? ""
            let steps = table[recorded.id]?.step.split(separator: ", ").filter { $0.hasPrefix(chapter) }
            let isNamed = steps?.contains { $0.split { !$0.isNumber }.dropFirst(2).contains(number) }
            #expect(isNamed == true, "\(recorded.id): \(recorded.step), \(table[recorded.id]?.step ?? "")")
        }
    }
}
