import CloakroomCore
import CloakroomTokens
import Crypto
import Testing

@testable import CloakroomPasskeys

/// The steps of section 7.1 for which no recorded ceremony exists.
@Suite struct RegistrationCeremonyTests {
    private let authenticator = SoftwareAuthenticator()

    private func refusal(
        of body: [UInt8], _ userVerification: UserVerificationRequirement = .required,
        mediation: RegistrationCeremony.Mediation = .modal
    ) -> PasskeyRefusal? {
        CloakroomPasskeysTests.refusal {
            let ceremony = try authenticator.registration(userVerification, mediation: mediation)
            _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false)
        }
    }

    @Test("the record has what the authenticator and the browser said")
    func record() throws {
        let body = authenticator.registrationBody(
            flags: 0x5D, count: 9, transports: ["hybrid", "a-new-one"], discoverable: true)
        let verified = try authenticator.registration().verify(RegistrationResponse(parsing: body), isKnown: false)
        let passkey = verified.passkey
        #expect(passkey.id.bytes == authenticator.id && passkey.user.bytes == authenticator.user)
        #expect(passkey.publicKey.encoded == authenticator.coseKey.encoded)
        #expect(passkey.signCount == 9 && passkey.isUserVerificationInitialized)
        #expect(passkey.isBackupEligible && passkey.isBackedUp)
        #expect(passkey.transports == ["hybrid", "a-new-one"] && passkey.isDiscoverable == true)
        #expect(passkey.aaguid == [UInt8](repeating: 0xAA, count: 16))
    }

    static let flagRows: [(UInt8, UserVerificationRequirement, RegistrationCeremony.Mediation, PasskeyRefusal?)] = [
        (0x45, .required, .modal, nil), (0x41, .required, .modal, .userNotVerified), (0x41, .preferred, .modal, nil),
        (0x41, .discouraged, .modal, nil), (0x44, .required, .modal, .userNotPresent),
        (0x40, .discouraged, .modal, .userNotPresent), (0x4D, .required, .modal, nil), (0x5D, .required, .modal, nil),
        (0x55, .required, .modal, .backedUpButNotEligible),
        // A conditional create asks nobody (section 7.1 step 15).
        (0x40, .required, .conditional, nil), (0x58, .required, .conditional, nil),
        (0x50, .required, .conditional, .backedUpButNotEligible),
        // The reserved bits.
        (0x67, .required, .modal, nil),
    ]

    @Test("the flags decide as the options say", arguments: flagRows)
    func flags(
        _ flags: UInt8, _ userVerification: UserVerificationRequirement, _ mediation: RegistrationCeremony.Mediation,
        _ expected: PasskeyRefusal?
    ) {
        let body = authenticator.registrationBody(flags: flags)
        #expect(refusal(of: body, userVerification, mediation: mediation) == expected)
    }

    @Test("a registration without an attested credential is refused")
    func noCredential() {
        let object = authenticator.attestationObject(authenticator.authenticatorData(flags: 0x05))
        let body = ResponseBody.registration(
            id: authenticator.id, clientDataJSON: authenticator.clientData("webauthn.create"),
            attestationObject: object)
        #expect(refusal(of: body) == .authenticatorData(.noCredential))
    }

    static let extensionRows: [(UInt8, [UInt8], PasskeyRefusal?)] = [
        (0xC5, CBORValue.map(["credProtect": 2]).encoded, nil),
        (0xC5, CBORValue.map(["credProtect": 2, "hmac-secret": .bool(true)]).encoded, nil),
        (0xC5, [0xA0], nil), (0xC5, [], .authenticatorData(.extensions(.truncated))),
        (0xC5, [0x01], .authenticatorData(.extensionsNotMap)), (0xC5, [0x80], .authenticatorData(.extensionsNotMap)),
        (0xC5, [0xA0, 0x00], .authenticatorData(.trailingBytes)), (0x45, [0xA0], .authenticatorData(.trailingBytes)),
        (0xC5, [0xBF, 0xFF], .authenticatorData(.extensions(.indefiniteLength))),
    ]

    @Test("the outputs of extensions are a map, there exactly if the flag ED says so", arguments: extensionRows)
    func extensions(_ flags: UInt8, _ extensions: [UInt8], _ expected: PasskeyRefusal?) {
        #expect(refusal(of: authenticator.registrationBody(flags: flags, extensions: extensions)) == expected)
    }

    static let objects: [(CBORMap, PasskeyRefusal)] = [
        (["fmt": "none", "authData": .bytes([])], .attestationObjectMembers),
        (["ab": 1, "fmt": "none", "attStmt": .map([:]), "authData": .bytes([])], .attestationObjectMembers),
        (["fmt": "none", "attStmt": .map([:]), "authData": "text"], .attestationObjectMembers),
        (["fmt": "none", "attStmt": .array([]), "authData": .bytes([])], .attestationObjectMembers),
        (["fmt": .bytes([0x6E]), "attStmt": .map([:]), "authData": .bytes([])], .attestationObjectMembers),
        (["fmt": "none", "attStmt": .map([:]), "authData": .bytes([])], .authenticatorData(.truncated)),
    ]

    @Test("the attestation object has its three members and no other", arguments: objects)
    func object(_ object: CBORMap, _ expected: PasskeyRefusal) {
        let body = ResponseBody.registration(
            id: authenticator.id, clientDataJSON: authenticator.clientData("webauthn.create"),
            attestationObject: CBORValue.map(object).encoded)
        #expect(refusal(of: body) == expected)
    }

    @Test("a packed statement is verified with the passkey's own key, and has no other members")
    func packed() throws {
        let clientData = authenticator.clientData("webauthn.create")
        let hash = try ClientData(parsing: clientData).hash
        let data = authenticator.authenticatorData(flags: 0x45, credential: authenticator.coseKey)
        let signature = Array(try authenticator.key.signature(for: data + hash).derRepresentation)
        let other = Array(try SoftwareAuthenticator().key.signature(for: data + hash).derRepresentation)
        let statements: [(CBORMap, PasskeyRefusal?)] = [
            (["alg": -7, "sig": .bytes(signature)], nil),
            (["alg": -7, "sig": .bytes(other)], .attestation(.badSignature)),
            (["alg": -7, "sig": .bytes([])], .attestation(.badSignature)),
            (["alg": -8, "sig": .bytes(signature)], .attestation(.wrongAlgorithm)),
            (["alg": -7], .attestation(.statementMembers)), ([:], .attestation(.statementMembers)),
            (["alg": -7, "sig": .bytes(signature), "x5c": .array([])], .attestation(.statementMembers)),
            (["alg": -7, "sig": .bytes(signature), "x5c": .array([1])], .attestation(.statementMembers)),
            (["alg": -7, "sig": .bytes(signature), "ver": "1"], .attestation(.statementMembers)),
            (
                ["alg": -7, "sig": .bytes(signature), "ecdaaKeyId": .bytes([1])],
                .attestation(.statementMembers)
            ),
            (
                ["alg": -7, "sig": .bytes(signature), "x5c": .array([.bytes([0x30, 0x00])])],
                .attestation(.malformedCertificate)
            ),
        ]
        for (statement, expected) in statements {
            let object = authenticator.attestationObject(data, format: "packed", statement: statement)
            let body = ResponseBody.registration(
                id: authenticator.id, clientDataJSON: clientData, attestationObject: object)
            #expect(refusal(of: body) == expected)
        }
    }

    static let keys: [(COSEAlgorithm, PasskeyRefusal?)] = [
        (.es256, nil), (.edDSA, .algorithmNotOffered), (.rs256, .algorithmNotOffered),
    ]

    @Test("an algorithm that is known and was not offered is refused", arguments: keys)
    func offered(_ algorithm: COSEAlgorithm, _ expected: PasskeyRefusal?) throws {
        let ceremony = RegistrationCeremony(
            site: try SoftwareAuthenticator.site(), challenge: authenticator.challenge,
            user: try #require(UserHandle([1])), algorithms: [algorithm])
        let response = try RegistrationResponse(parsing: authenticator.registrationBody())
        #expect(CloakroomPasskeysTests.refusal { _ = try ceremony.verify(response, isKnown: false) } == expected)
    }
}
