/// The signature algorithms that a key can be bound to (RFC 7518 section 3.1, RFC 8037, RFC 9864).
///
/// Cloakroom signs with ES256, Ed25519 or RS256 (access tokens) and HS256 (refresh tokens); the others exist to verify
/// foreign tokens. `none` and the encryption algorithms do not exist here at all.
package enum SignatureAlgorithm: String, Hashable, Sendable, CaseIterable {
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case ed25519 = "Ed25519"
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"

    /// The algorithm that a header's or JWK's `alg` names, compared case by case.
    package init?(headerName: String) {
        // RFC 8037 called Ed25519 `EdDSA`, RFC 9864 renamed it: two names of one algorithm.
        self.init(rawValue: headerName == "EdDSA" ? "Ed25519" : headerName)
    }

    /// The name that we write. `EdDSA`, because the JWT libraries of other languages do not know `Ed25519` yet.
    package var headerName: String {
        self == .ed25519 ? "EdDSA" : rawValue
    }

    /// The `alg` values of a configuration: what an issuer may sign access tokens with.
    package static let signing: [SignatureAlgorithm] = [.es256, .ed25519, .rs256]
}
