/// An algorithm that signs access tokens.
public struct SigningAlgorithm: Hashable, Sendable {
    package let algorithm: SignatureAlgorithm

    package init(_ algorithm: SignatureAlgorithm) {
        self.algorithm = algorithm
    }

    /// ECDSA over P-256 with SHA-256 (RFC 7518 section 3.4).
    public static let es256 = Self(.es256)
    /// Ed25519 (RFC 8037), which tokens name `EdDSA`.
    public static let ed25519 = Self(.ed25519)
    /// RSA with SHA-256 (RFC 7518 section 3.3).
    public static let rs256 = Self(.rs256)
}
