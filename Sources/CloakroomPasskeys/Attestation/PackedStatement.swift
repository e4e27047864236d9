import Crypto

/// A statement of the format `packed` (WebAuthn Level 3 section 8.2).
struct PackedStatement: Sendable {
    private let algorithm: Int64
    private let signature: [UInt8]
    /// The leaf of `x5c`; nil for self attestation. The certificates behind it are not read: they lead to no root that
    /// would be trusted.
    private let certificate: [UInt8]?

    init(_ statement: CBORMap) throws(AttestationFault) {
        guard let algorithm = statement["alg"]?.integerValue, let signature = statement["sig"]?.bytesValue else {
            throw .statementMembers
        }
        self.algorithm = algorithm
        self.signature = signature
        certificate = try Self.leaf(statement)
    }

    private static func leaf(_ statement: CBORMap) throws(AttestationFault) -> [UInt8]? {
        guard let member = statement["x5c"] else {
            guard statement.keys == [.text("alg"), .text("sig")] else { throw .statementMembers }
            return nil
        }
        let certificates = (member.arrayValue ?? []).compactMap(\.bytesValue)
        guard statement.keys == [.text("alg"), .text("sig"), .text("x5c")], let leaf = certificates.first,
            certificates.count == member.arrayValue?.count
        else { throw .statementMembers }
        return leaf
    }

    /// - Parameter message: the authenticator data, and after it the hash of the client data.
    func verify(_ message: [UInt8], aaguid: [UInt8], credentialKey: COSEKey) throws(AttestationFault) -> Attestation {
        guard let certificate else {
            guard algorithm == credentialKey.algorithm.rawValue else { throw .wrongAlgorithm }
            guard credentialKey.isValid(signature: signature, for: message) else { throw .badSignature }
            return .selfSigned
        }
        let issued = try AttestationCertificate(parsing: certificate)
        guard algorithm == COSEAlgorithm.es256.rawValue else { throw .wrongAlgorithm }
        guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature),
            issued.key.isValidSignature(signature, for: message)
        else { throw .badSignature }
        guard issued.aaguid == nil || issued.aaguid == aaguid else { throw .wrongAAGUID }
        return .untrustedCertificate
    }
}
