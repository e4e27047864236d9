package import CloakroomCore
import Crypto
import CryptoExtras

/// A key that verifies signatures of exactly one algorithm (RFC 8725bis section 3.1).
package struct VerificationKey: Sendable {
    /// `kid`; nil for a foreign key that has none.
    package let id: String?
    package let algorithm: SignatureAlgorithm
    private let material: Material

    enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
        case symmetric(SymmetricKey)
    }

    init(id: String?, algorithm: SignatureAlgorithm, material: Material) {
        self.id = id
        self.algorithm = algorithm
        self.material = material
    }

    /// A key for HS256.
    package init(id: String, secret: Secret) {
        self.init(id: id, algorithm: .hs256, material: .symmetric(SymmetricKey(data: secret.bytes)))
    }

    /// Whether both sides of a signature know this key.
    var isSymmetric: Bool {
        if case .symmetric = material { true } else { false }
    }

    func isValid(signature: [UInt8], for message: ArraySlice<UInt8>) -> Bool {
        switch material {
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        case .p384(let key):
            guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        case .p521(let key):
            guard let signature = try? P521.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        case .ed25519(let key):
            return key.isValidSignature(signature, for: message)
        case .rsa(let key):
            return isValid(signature: signature, for: message, by: key)
        case .symmetric(let key):
            return isValid(signature: signature, for: message, by: key)
        }
    }

    private func isValid(signature: [UInt8], for message: ArraySlice<UInt8>, by key: _RSA.Signing.PublicKey) -> Bool {
        let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
        switch algorithm {
        case .rs256:
            return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        case .rs384:
            return key.isValidSignature(signature, for: SHA384.hash(data: message), padding: .insecurePKCS1v1_5)
        case .rs512:
            return key.isValidSignature(signature, for: SHA512.hash(data: message), padding: .insecurePKCS1v1_5)
        case .ps256: return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .PSS)
        case .ps384: return key.isValidSignature(signature, for: SHA384.hash(data: message), padding: .PSS)
        case .ps512: return key.isValidSignature(signature, for: SHA512.hash(data: message), padding: .PSS)
        case .es256, .es384, .es512, .ed25519, .hs256, .hs384, .hs512: return false
        }
    }

    private func isValid(signature: [UInt8], for message: ArraySlice<UInt8>, by key: SymmetricKey) -> Bool {
        switch algorithm {
        case .hs256: return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: message, using: key)
        case .hs384: return HMAC<SHA384>.isValidAuthenticationCode(signature, authenticating: message, using: key)
        case .hs512: return HMAC<SHA512>.isValidAuthenticationCode(signature, authenticating: message, using: key)
        case .es256, .es384, .es512, .ed25519, .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: return false
        }
    }
}
