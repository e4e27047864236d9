import CloakroomCore
import CloakroomTokens
import Testing

@testable import CloakroomPasskeys

/// The test vectors of the WebAuthn specification itself.
@Suite struct Level3VectorTests {
    /// What each registration must give: its attestation, or the refusal.
    static let expectations: [(String, Result<Attestation, PasskeyRefusal>)] = [
        ("none-es256", .success(.none)), ("packed-self-es256", .success(.selfSigned)),
        ("none-es256-long-credential-id", .success(.none)), ("packed-es256", .success(.untrustedCertificate)),
        ("packed-rs256", .success(.untrustedCertificate)), ("packed-eddsa", .success(.untrustedCertificate)),
        // Level 3 advises against these algorithms, and no authenticator has them alone.
        ("packed-es384", .failure(.algorithmNotOffered)), ("packed-es512", .failure(.algorithmNotOffered)),
        ("packed-ed448", .failure(.algorithmNotOffered)),
        // Our pages are in no frame of another origin.
        ("none-es256-crossOrigin", .failure(.crossOrigin)), ("none-es256-topOrigin", .failure(.crossOrigin)),
        // Attestation is not asked for.
        ("tpm-es256", .failure(.attestation(.unknownFormat))),
        ("android-key-es256", .failure(.attestation(.unknownFormat))),
        ("apple-es256", .failure(.attestation(.unknownFormat))),
        ("fido-u2f-es256", .failure(.attestation(.unknownFormat))),
    ]

    @Test(
        "each registration is verified or refused as our policy says, and its assertion is verified",
        arguments: expectations)
    func vector(_ id: String, _ expected: Result<Attestation, PasskeyRefusal>) throws {
        let vector = try #require(try Level3Vector.all().first { $0.id == id })
        let ceremony = try vector.registration()
        let response = try RegistrationResponse(parsing: vector.registrationBody)
        switch expected {
        case .failure(let fault):
            #expect(refusal { _ = try ceremony.verify(response, isKnown: false) } == fault)
        case .success(let attestation):
            let verified = try ceremony.verify(response, isKnown: false)
            #expect(verified.attestation == attestation)
            let passkey = verified.passkey
            #expect(passkey.id.bytes == vector.credentialID)
            #expect(passkey.aaguid == vector.bytes("registration", "aaguid"))
            let assertion = try AuthenticationResponse(parsing: vector.assertionBody)
            #expect(try vector.authentication().verify(assertion, by: passkey).counter == .notKept)
        }
    }

    @Test("the table has all fifteen vectors")
    func complete() throws {
        #expect(Set(try Level3Vector.all().map(\.id)) == Set(Self.expectations.map(\.0)))
        #expect(Self.expectations.count == 15)
    }

    @Test(
        "the attestation of one vector does not do for another",
        arguments: ["packed-self-es256", "packed-es256", "packed-rs256"])
    func foreignStatement(_ id: String) throws {
        let vectors = try Level3Vector.all()
        let vector = try #require(vectors.first { $0.id == id })
        let other = try #require(vectors.first { $0.id == "packed-eddsa" })
        let object = try CBORReader.read(vector.bytes("registration", "attestationObject"))
        let foreign = try CBORReader.read(other.bytes("registration", "attestationObject"))
        let mixed = CBORValue.map([
            "fmt": "packed", "attStmt": try #require(foreign.mapValue?["attStmt"]),
            "authData": try #require(object.mapValue?["authData"]),
        ])
        let response = try RegistrationResponse(parsing: vector.registrationBody(attestationObject: mixed.encoded))
        let seen = refusal { _ = try vector.registration().verify(response, isKnown: false) }
        #expect(seen == .attestation(.badSignature))
    }
}

/// One registration and one authentication of the specification, in the JSON that a browser would have made of them.
struct Level3Vector {
    let members: JSONObject

    static func all() throws -> [Self] {
        (try Vectors.read("webauthn-level3")["vectors"]?.arrayValue ?? []).compactMap {
            $0.objectValue.map { Self(members: $0) }
        }
    }

    var id: String { members["id"]?.stringValue ?? "" }
    var credentialID: [UInt8] { bytes("registration", "credential_id") }

    func bytes(_ part: String, _ name: String) -> [UInt8] {
        let digits = Array(members[part]?.objectValue?[name]?.stringValue ?? "")
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    }

    private func site() throws -> RelyingParty {
        let origin = try #require(WebOrigin(parsing: "https://example.org"))
        return try #require(RelyingParty(id: "example.org", origins: [origin]))
    }

    func registration() throws -> RegistrationCeremony {
        RegistrationCeremony(
            site: try site(), challenge: bytes("registration", "challenge"), user: try #require(UserHandle([1])),
            userVerification: .preferred)
    }

    func authentication() throws -> AuthenticationCeremony {
        AuthenticationCeremony(
            site: try site(), challenge: bytes("authentication", "challenge"), user: UserHandle([1]),
            userVerification: .preferred)
    }

    var registrationBody: [UInt8] { registrationBody(attestationObject: bytes("registration", "attestationObject")) }

    func registrationBody(attestationObject: [UInt8], clientData: [UInt8]? = nil) -> [UInt8] {
        ResponseBody.registration(
            id: credentialID, clientDataJSON: clientData ?? bytes("registration", "clientDataJSON"),
            attestationObject: attestationObject)
    }

    var assertionBody: [UInt8] {
        ResponseBody.assertion(
            id: credentialID, clientDataJSON: bytes("authentication", "clientDataJSON"),
            authenticatorData: bytes("authentication", "authenticatorData"),
            signature: bytes("authentication", "signature"))
    }
}
