import CloakroomTokens
import Crypto
import CryptoExtras

/// The public key of a passkey (RFC 9052 section 7), bound to one algorithm and, with it, to one curve.
package struct COSEKey: Sendable {
    package let algorithm: COSEAlgorithm
    /// The key as it was received, which is its only accepted encoding.
    package let encoded: [UInt8]
    private let material: Material

    private enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    /// Reads a stored key.
    package init(parsing encoded: [UInt8]) throws(COSEKeyFault) {
        let value: CBORValue
        do { value = try CBORReader.read(encoded) } catch { throw .cbor(error) }
        try self.init(value, encoded: encoded)
    }

    /// - Parameter encoded: what `value` was read from.
    init(_ value: CBORValue, encoded: [UInt8]) throws(COSEKeyFault) {
        guard let parameters = value.mapValue else { throw .parameters }
        guard let algorithm = Self.algorithm(of: value) else { throw .unknownAlgorithm }
        self.algorithm = algorithm
        self.encoded = encoded
        switch algorithm {
        case .es256: material = .p256(try Self.ellipticCurve(parameters))
        case .edDSA: material = .ed25519(try Self.edwards(parameters))
        case .rs256: material = .rsa(try Self.rsa(parameters))
        }
    }

    /// The algorithm of an encoded key; nil for one that no passkey here has.
    static func algorithm(of value: CBORValue) -> COSEAlgorithm? {
        value.mapValue?[Label.algorithm]?.integerValue.flatMap { COSEAlgorithm(rawValue: $0) }
    }

    /// Whether the signature is of this key. For ES256 it must be DER (WebAuthn Level 3 section 6.5.5).
    package func isValid(signature: [UInt8], for message: [UInt8]) -> Bool {
        switch material {
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        case .ed25519(let key):
            return key.isValidSignature(signature, for: message)
        case .rsa(let key):
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        }
    }

    /// The labels of parameters. Those below zero depend on the key type (RFC 9053 section 7, RFC 8230 section 4).
    private enum Label {
        static let keyType: Int64 = 1
        static let algorithm: Int64 = 3
        static let curve: Int64 = -1
        static let x: Int64 = -2
        static let y: Int64 = -3
        static let modulus: Int64 = -1
        static let exponent: Int64 = -2
    }

    /// - Parameter labels: those after `kty` and `alg`, in canonical order.
    private static func check(_ key: CBORMap, type: Int64, labels: [Int64]) throws(COSEKeyFault) {
        guard key[Label.keyType] == .integer(type) else { throw .wrongKeyType }
        let expected = [Label.keyType, Label.algorithm] + labels
        guard key.keys == expected.map({ .integer($0) }) else { throw .parameters }
    }

    private static func ellipticCurve(_ key: CBORMap) throws(COSEKeyFault) -> P256.Signing.PublicKey {
        try check(key, type: 2, labels: [Label.curve, Label.x, Label.y])
        guard key[Label.curve] == 1 else { throw .wrongCurve }
        // RFC 9053 section 7.1.1 allows a sign in place of y, WebAuthn does not.
        guard let x = key[Label.x]?.bytesValue, let y = key[Label.y]?.bytesValue, x.count == 32, y.count == 32 else {
            throw .wrongLength
        }
        guard let point = try? P256.Signing.PublicKey(rawRepresentation: x + y) else { throw .notOnCurve }
        return point
    }

    private static func edwards(_ key: CBORMap) throws(COSEKeyFault) -> Curve25519.Signing.PublicKey {
        try check(key, type: 1, labels: [Label.curve, Label.x])
        guard key[Label.curve] == 6 else { throw .wrongCurve }
        guard let x = key[Label.x]?.bytesValue, x.count == 32 else { throw .wrongLength }
        guard !Edwards25519.isWeak(x) else { throw .weak }
        guard let point = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else { throw .notOnCurve }
        return point
    }

    private static func rsa(_ key: CBORMap) throws(COSEKeyFault) -> _RSA.Signing.PublicKey {
        try check(key, type: 3, labels: [Label.modulus, Label.exponent])
        // A zero in front would spell the modulus twice (RFC 8230 section 4).
        guard let modulus = key[Label.modulus]?.bytesValue, 256...512 ~= modulus.count, modulus[0] != 0 else {
            throw .wrongLength
        }
        guard let exponent = key[Label.exponent]?.bytesValue, exponent == [1, 0, 1] else { throw .wrongExponent }
        // Infineon's TPMs made such keys, and Windows Hello used them.
        guard !ROCA.isVulnerable(modulus) else { throw .weak }
        guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else { throw .wrongLength }
        return key
    }
}

extension COSEKey: Hashable {
    package static func == (one: Self, other: Self) -> Bool {
        one.encoded == other.encoded
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(encoded)
    }
}

extension CBORValue: ExpressibleByIntegerLiteral {
    init(integerLiteral value: Int64) { self = .integer(value) }
}
