/// The attestation object of a registration (WebAuthn Level 3 section 6.5.4).
struct AttestationObject: Sendable {
    let authenticatorData: [UInt8]
    private let format: String
    private let statement: CBORMap

    init(parsing bytes: [UInt8]) throws(PasskeyRefusal) {
        let value: CBORValue
        do { value = try CBORReader.read(bytes) } catch { throw .attestationObject(error) }
        guard let members = value.mapValue, members.keys == [.text("fmt"), .text("attStmt"), .text("authData")],
            let format = members["fmt"]?.textValue, let statement = members["attStmt"]?.mapValue,
            let data = members["authData"]?.bytesValue
        else { throw .attestationObjectMembers }
        self.format = format
        self.statement = statement
        authenticatorData = data
    }

    /// Verifies the statement, or refuses its format: no statement is accepted unverified.
    func verifyStatement(
        of credential: AuthenticatorData.AttestedCredential, key: COSEKey, clientDataHash: [UInt8]
    ) throws(AttestationFault) -> Attestation {
        switch format {
        case "none":
            guard statement.entries.isEmpty else { throw .statementNotEmpty }
            return .none
        case "packed":
            let packed = try PackedStatement(statement)
            return try packed.verify(authenticatorData + clientDataHash, aaguid: credential.aaguid, credentialKey: key)
        default:
            throw .unknownFormat
        }
    }
}

/// What an attestation statement has shown. No list of manufacturers is kept, so none makes a passkey better trusted.
package enum Attestation: Hashable, Sendable {
    case none
    /// Signed with the passkey's own key (section 6.5.3).
    case selfSigned
    /// Signed with the key of a certificate, which itself is verified against no root.
    case untrustedCertificate
}
