import CloakroomCore
import CloakroomTokens
import Crypto
import Testing

@testable import CloakroomPasskeys

/// An authenticator and its browser, for ceremonies that no recorded one has. What it makes is rightly signed, so that
/// a refusal is that of the check under test.
struct SoftwareAuthenticator {
    let key = P256.Signing.PrivateKey()
    let id: [UInt8] = Array(0..<32)
    let user: [UInt8] = [7, 7, 7]
    let challenge: [UInt8] = Array(32..<64)
    var origin = "https://auth.example.com"
    var members = ""

    static func site() throws -> RelyingParty {
        let origins = ["https://auth.example.com", "https://example.com:8443"].compactMap { WebOrigin(parsing: $0) }
        return try #require(RelyingParty(id: "example.com", origins: origins))
    }

    /// `members`: further members of the client data, with a comma in front.
    func clientData(_ type: String) -> [UInt8] {
        let challenge = Base64URL.encode(challenge)
        return Array(#"{"type":"\#(type)","challenge":"\#(challenge)","origin":"\#(origin)"\#(members)}"#.utf8)
    }

    var coseKey: CBORValue {
        let point = Array(key.publicKey.rawRepresentation)
        return .map([1: 2, 3: -7, -1: 1, -2: .bytes(Array(point.prefix(32))), -3: .bytes(Array(point.suffix(32)))])
    }

    func authenticatorData(
        flags: UInt8, count: UInt32 = 0, rpID: String = "example.com", credential: CBORValue? = nil,
        extensions: [UInt8] = []
    ) -> [UInt8] {
        var data = Array(SHA256.hash(data: Array(rpID.utf8))) + [flags]
        data += (0..<4).reversed().map { UInt8(truncatingIfNeeded: count >> UInt32($0 * 8)) }
        if let credential {
            data += [UInt8](repeating: 0xAA, count: 16) + [UInt8(id.count >> 8), UInt8(id.count & 0xFF)] + id
            data += credential.encoded
        }
        return data + extensions
    }

    // MARK: Registration

    func attestationObject(_ data: [UInt8], format: String = "none", statement: CBORMap = [:]) -> [UInt8] {
        CBORValue.map(["fmt": .text(format), "attStmt": .map(statement), "authData": .bytes(data)]).encoded
    }

    func registrationBody(
        flags: UInt8 = 0x45, count: UInt32 = 0, extensions: [UInt8] = [], clientData: [UInt8]? = nil,
        transports: JSONValue = ["internal"], discoverable: Bool? = nil
    ) -> [UInt8] {
        let data = authenticatorData(flags: flags, count: count, credential: coseKey, extensions: extensions)
        return ResponseBody.registration(
            id: id, clientDataJSON: clientData ?? self.clientData("webauthn.create"),
            attestationObject: attestationObject(data), transports: transports, discoverable: discoverable)
    }

    func registration(
        _ userVerification: UserVerificationRequirement = .required,
        mediation: RegistrationCeremony.Mediation = .modal
    ) throws -> RegistrationCeremony {
        RegistrationCeremony(
            site: try Self.site(), challenge: challenge, user: try #require(UserHandle(user)),
            userVerification: userVerification, mediation: mediation)
    }

    /// A passkey whose registration had these flags.
    func passkey(
        flags: UInt8 = 0x45, count: UInt32 = 0, mediation: RegistrationCeremony.Mediation = .modal
    ) throws -> Passkey {
        let response = try RegistrationResponse(parsing: registrationBody(flags: flags, count: count))
        return try registration(.preferred, mediation: mediation).verify(response, isKnown: false).passkey
    }

    // MARK: Authentication

    func authentication(
        user: UserHandle? = nil, allowed: [PasskeyID] = [],
        _ userVerification: UserVerificationRequirement = .required
    ) throws -> AuthenticationCeremony {
        AuthenticationCeremony(
            site: try Self.site(), challenge: challenge, user: user, allowed: allowed,
            userVerification: userVerification)
    }

    func assertionBody(data: [UInt8], clientData: [UInt8]? = nil, userHandle: [UInt8]?) throws -> [UInt8] {
        let clientData = clientData ?? self.clientData("webauthn.get")
        let signature = try key.signature(for: data + Array(SHA256.hash(data: clientData)))
        return ResponseBody.assertion(
            id: id, clientDataJSON: clientData, authenticatorData: data,
            signature: Array(signature.derRepresentation), userHandle: userHandle)
    }

    func assertion(flags: UInt8 = 0x05, count: UInt32 = 0, extensions: [UInt8] = []) throws -> AuthenticationResponse {
        let data = authenticatorData(flags: flags, count: count, extensions: extensions)
        return try AuthenticationResponse(parsing: assertionBody(data: data, userHandle: user))
    }
}
