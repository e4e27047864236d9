import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

/// Signs any header and payload byte for byte, with a key that the verifier trusts. A refusal then comes from the check
/// under test and not from the signature.
struct Forge {
    enum Key {
        case es256(P256.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case hs256([UInt8])
    }

    static let kid = "k1"
    static let algorithms: [SignatureAlgorithm] = [.es256, .ed25519, .hs256]

    let algorithm: SignatureAlgorithm
    let key: Key
    /// The public half, `kid` and `alg` included.
    let jwk: JSONObject
    let keys: KeySet

    init(_ algorithm: SignatureAlgorithm, kid: String? = kid) throws {
        self.algorithm = algorithm
        var jwk: JSONObject
        switch algorithm {
        case .es256:
            let key = P256.Signing.PrivateKey()
            let point = Array(key.publicKey.rawRepresentation)
            self.key = .es256(key)
            jwk = ["kty": "EC", "crv": "P-256", "x": Self.text(point[..<32]), "y": Self.text(point[32...])]
        case .ed25519:
            let key = Curve25519.Signing.PrivateKey()
            self.key = .ed25519(key)
            jwk = ["kty": "OKP", "crv": "Ed25519", "x": Self.text(Array(key.publicKey.rawRepresentation))]
        default:
            let secret = (0..<32).map { UInt8($0) ^ 0xA5 }
            self.key = .hs256(secret)
            jwk = ["kty": "oct", "k": Self.text(secret)]
        }
        jwk["alg"] = .string(algorithm.headerName)
        if let kid { jwk["kid"] = .string(kid) }
        self.jwk = jwk
        keys = try KeySet(parsing: JSONValue.object(jwk).serialized)
    }

    private static func text(_ bytes: some Collection<UInt8>) -> JSONValue {
        .string(Base64URL.encode(bytes))
    }

    /// A header that passes; `extra` goes in front of its end.
    func header(_ extra: String = "") -> String {
        #"{"alg":"\#(algorithm.headerName)","kid":"\#(Self.kid)","typ":"at+jwt"\#(extra)}"#
    }

    func token(header: String, payload: String = "{}") throws -> String {
        try token(header: Array(header.utf8), payload: Array(payload.utf8))
    }

    func token(header: [UInt8], payload: [UInt8]) throws -> String {
        try sign(Base64URL.encode(header) + "." + Base64URL.encode(payload))
    }

    /// Signs any text, also one that is not base64url.
    func sign(_ message: String) throws -> String {
        message + "." + Base64URL.encode(try signature(of: Array(message.utf8)))
    }

    func signature(of message: [UInt8]) throws -> [UInt8] {
        switch key {
        case .es256(let key): Array(try key.signature(for: message).rawRepresentation)
        case .ed25519(let key): Array(try key.signature(for: message))
        case .hs256(let secret): Forge.mac(message, secret: secret)
        }
    }

    static func mac(_ message: [UInt8], secret: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: secret)))
    }

    func verdict(_ token: String) -> TokenFault? {
        fault { try VerifiedJWS.verify(Array(token.utf8), with: keys) }
    }
}

/// The three parts of a compact JWS as text.
struct Parts {
    let header: String
    let payload: String
    let signature: String

    init(_ token: String) throws {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        try #require(parts.count == 3)
        (header, payload, signature) = (parts[0], parts[1], parts[2])
    }
}

extension AccessTokenVerifier {
    /// A resource server with these keys.
    static func remote(_ keys: KeySet, audience: String = TokenWorld.audience) -> Self {
        Self(
            issuer: TokenWorld.issuer, audience: audience, maximumLifetime: .minutes(5), keys: { keys },
            isRetired: { _, _ in false })
    }
}
