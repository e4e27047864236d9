/// Why an attestation statement was refused.
package enum AttestationFault: Error, Hashable, Sendable {
    case unknownFormat
    /// The format `none` has a statement.
    case statementNotEmpty
    /// The statement does not have exactly the members of its format.
    case statementMembers
    /// `alg` is not that of the key that signs.
    case wrongAlgorithm
    case badSignature
    /// The certificate is not DER as far as it is read, or its key is not on P-256.
    case malformedCertificate
    /// The certificate is not one for attestation (section 8.2.1).
    case unsuitableCertificate
    /// The certificate is of another model of authenticators.
    case wrongAAGUID

    package var step: String {
        switch self {
        case .unknownFormat: "7.1 step 21"
        case .statementNotEmpty: "7.1 step 22, 8.7"
        case .statementMembers, .wrongAlgorithm, .badSignature, .malformedCertificate, .wrongAAGUID:
            "7.1 step 22, 8.2"
        case .unsuitableCertificate: "7.1 step 22, 8.2.1"
        }
    }

    package var reason: String {
        switch self {
        case .unknownFormat: "the attestation format is not none or packed"
        case .statementNotEmpty: "the attestation format is none, and there is a statement"
        case .statementMembers: "the attestation statement does not have the members of its format"
        case .wrongAlgorithm: "the alg of the attestation statement is not that of its key"
        case .badSignature: "the signature of the attestation statement does not match"
        case .malformedCertificate: "the attestation certificate is malformed, or its key is not on P-256"
        case .unsuitableCertificate: "the certificate is not an attestation certificate"
        case .wrongAAGUID: "the attestation certificate is of another aaguid"
        }
    }
}
