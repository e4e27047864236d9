package import CloakroomCore
import Crypto
import CryptoExtras

/// A private key that signs access tokens with one algorithm.
package struct SigningKey: Sendable {
    package let id: String
    package let algorithm: SignatureAlgorithm
    private let material: Material

    private enum Material: Sendable {
        case p256(P256.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)
    }

    /// Why a stored key could not be read.
    package struct Unreadable: Error, Hashable, Sendable {
        package let reason: String
    }

    /// Makes a new key. Its `kid` is the key's thumbprint (RFC 7638), cut to 128 bits, and never begins with a hyphen:
    /// `cloakroom keys remove` would parse such an id as an option, and with `-h` print its help and remove nothing.
    package static func generate(_ algorithm: SignatureAlgorithm) throws -> Self {
        while true {
            let key = try any(algorithm)
            if !key.id.hasPrefix("-") { return key }
        }
    }

    private static func any(_ algorithm: SignatureAlgorithm) throws -> Self {
        switch algorithm {
        case .es256: try Self(algorithm, .p256(P256.Signing.PrivateKey()))
        case .ed25519: try Self(algorithm, .ed25519(Curve25519.Signing.PrivateKey()))
        case .rs256: try Self(algorithm, .rsa(_RSA.Signing.PrivateKey(keySize: .bits3072)))
        case .es384, .es512, .rs384, .rs512, .ps256, .ps384, .ps512, .hs256, .hs384, .hs512:
            throw Unreadable(reason: "\(algorithm.rawValue) is not an algorithm that signs access tokens")
        }
    }

    private init(_ algorithm: SignatureAlgorithm, _ material: Material) throws {
        self.algorithm = algorithm
        self.material = material
        let thumbprint = SHA256.hash(data: JSONValue.object(try Self.publicMembers(material)).serialized)
        self.id = Base64URL.encode(Array(thumbprint).prefix(16))
    }

    /// Reads what `serialized` wrote.
    package init(algorithm name: String, serialized text: String) throws {
        guard let algorithm = SignatureAlgorithm(rawValue: name), let bytes = Base64URL.decode(text) else {
            throw Unreadable(reason: "the algorithm or the key is not in the expected form")
        }
        switch algorithm {
        case .es256: try self.init(algorithm, .p256(.init(rawRepresentation: bytes)))
        case .ed25519: try self.init(algorithm, .ed25519(.init(rawRepresentation: bytes)))
        case .rs256: try self.init(algorithm, .rsa(.init(derRepresentation: bytes)))
        case .es384, .es512, .rs384, .rs512, .ps256, .ps384, .ps512, .hs256, .hs384, .hs512:
            throw Unreadable(reason: "\(name) is not an algorithm that signs access tokens")
        }
    }

    /// The private key as base64url text, for the key file alone.
    package var serialized: String {
        switch material {
        case .p256(let key): Base64URL.encode(key.rawRepresentation)
        case .ed25519(let key): Base64URL.encode(key.rawRepresentation)
        case .rsa(let key): Base64URL.encode(key.derRepresentation)
        }
    }

    /// The public key as a JWK (RFC 7517), bound to its algorithm.
    package func publicJWK() throws -> JSONObject {
        var jwk = try Self.publicMembers(material)
        jwk["kid"] = .string(id)
        jwk["use"] = "sig"
        jwk["alg"] = .string(algorithm.headerName)
        return jwk
    }

    func verificationKey() throws -> VerificationKey {
        switch material {
        case .p256(let key): VerificationKey(id: id, algorithm: algorithm, material: .p256(key.publicKey))
        case .ed25519(let key): VerificationKey(id: id, algorithm: algorithm, material: .ed25519(key.publicKey))
        case .rsa(let key): VerificationKey(id: id, algorithm: algorithm, material: .rsa(key.publicKey))
        }
    }

    /// The compact JWS of `claims`.
    func sign(_ claims: JSONObject, type: String) throws -> [UInt8] {
        let message = JWSMessage.bytes(algorithm: algorithm, keyID: id, type: type, claims: claims)
        return JWSMessage.join(message, try signature(of: message))
    }

    private func signature(of message: [UInt8]) throws -> [UInt8] {
        switch material {
        case .p256(let key): Array(try key.signature(for: message).rawRepresentation)
        case .ed25519(let key): Array(try key.signature(for: message))
        case .rsa(let key):
            Array(try key.signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
        }
    }

    /// The members that RFC 7638 hashes, in its order.
    private static func publicMembers(_ material: Material) throws -> JSONObject {
        switch material {
        case .p256(let key):
            let point = Array(key.publicKey.rawRepresentation)
            return [
                "crv": "P-256", "kty": "EC", "x": .string(Base64URL.encode(point.prefix(32))),
                "y": .string(Base64URL.encode(point.suffix(32))),
            ]
        case .ed25519(let key):
            return ["crv": "Ed25519", "kty": "OKP", "x": .string(Base64URL.encode(key.publicKey.rawRepresentation))]
        case .rsa(let key):
            let numbers = try key.publicKey.getKeyPrimitives()
            return [
                "e": .string(Base64URL.encode(numbers.publicExponent)), "kty": "RSA",
                "n": .string(Base64URL.encode(numbers.modulus)),
            ]
        }
    }
}

/// The signed part of a compact JWS: `header.payload`.
enum JWSMessage {
    static func bytes(algorithm: SignatureAlgorithm, keyID: String, type: String, claims: JSONObject) -> [UInt8] {
        let header: JSONValue = ["alg": .string(algorithm.headerName), "kid": .string(keyID), "typ": .string(type)]
        return join(Base64URL.encodedBytes(header.serialized), JSONValue.object(claims).serialized)
    }

    static func join(_ encoded: [UInt8], _ raw: [UInt8]) -> [UInt8] {
        encoded + [UInt8(ascii: ".")] + Base64URL.encodedBytes(raw)
    }
}
