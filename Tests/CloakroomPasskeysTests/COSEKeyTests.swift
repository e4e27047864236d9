import CloakroomTokens
import Crypto
import CryptoExtras
import Testing

@testable import CloakroomPasskeys

@Suite struct COSEKeyTests {
    private static func fault(_ key: CBORMap) -> COSEKeyFault? { fault(CBORValue.map(key).encoded) }

    private static func fault(_ bytes: [UInt8]) -> COSEKeyFault? {
        do {
            _ = try COSEKey(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    private static func bytes(_ count: Int, _ first: UInt8 = 0) -> CBORValue {
        .bytes([first] + [UInt8](repeating: 1, count: count - 1))
    }

    @Test("ES256: P-256, both coordinates in full, a point of the curve, and nothing else")
    func ellipticCurve() throws {
        let point = Array(P256.Signing.PrivateKey().publicKey.rawRepresentation)
        let (x, y) = (CBORValue.bytes(Array(point.prefix(32))), CBORValue.bytes(Array(point.suffix(32))))
        #expect(Self.fault([1: 2, 3: -7, -1: 1, -2: x, -3: y]) == nil)
        let prime: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        ]
        let zero = CBORValue.bytes([UInt8](repeating: 0, count: 32))
        let rows: [(CBORMap, COSEKeyFault)] = [
            ([1: 1, 3: -7, -1: 1, -2: x, -3: y], .wrongKeyType), ([1: 3, 3: -7, -1: 1, -2: x, -3: y], .wrongKeyType),
            ([3: -7, -1: 1, -2: x, -3: y], .wrongKeyType), ([1: 2, -1: 1, -2: x, -3: y], .unknownAlgorithm),
            ([1: 2, 3: "ES256", -1: 1, -2: x, -3: y], .unknownAlgorithm),
            ([1: 2, 3: -9, -1: 1, -2: x, -3: y], .unknownAlgorithm),
            ([1: 2, 3: -35, -1: 2, -2: x, -3: y], .unknownAlgorithm),
            ([1: 2, 3: -47, -1: 8, -2: x, -3: y], .unknownAlgorithm),
            ([1: 2, 3: -7, -1: 2, -2: x, -3: y], .wrongCurve), ([1: 2, 3: -7, -1: 8, -2: x, -3: y], .wrongCurve),
            ([1: 2, 3: -7, -1: "P-256", -2: x, -3: y], .wrongCurve),
            ([1: 2, 3: -7, -1: 1, -2: x, -3: .bool(true)], .wrongLength),
            ([1: 2, 3: -7, -1: 1, -2: bytes(31), -3: y], .wrongLength),
            ([1: 2, 3: -7, -1: 1, -2: bytes(33), -3: bytes(31)], .wrongLength),
            ([1: 2, 3: -7, -1: 1, -2: x, -3: x], .notOnCurve), ([1: 2, 3: -7, -1: 1, -2: zero, -3: zero], .notOnCurve),
            ([1: 2, 3: -7, -1: 1, -2: .bytes(prime), -3: y], .notOnCurve),
            ([1: 2, 3: -7, -1: 1, -2: x], .parameters), ([1: 2, 3: -7, -2: x, -3: y], .parameters),
            ([1: 2, 3: -7, -1: 1, -2: x, -3: y, -4: x], .parameters),
            ([1: 2, 2: .bytes([1]), 3: -7, -1: 1, -2: x, -3: y], .parameters),
            ([1: 2, 3: -7, 4: .array([2]), -1: 1, -2: x, -3: y], .parameters),
            ([1: 2, 3: -7, -1: 1, -2: x, -3: y, "x": 1], .parameters),
            ([3: -7, 1: 2, -1: 1, -2: x, -3: y], .cbor(.unorderedKeys)),
        ]
        for (key, expected) in rows { #expect(Self.fault(key) == expected) }
    }

    private func bytes(_ count: Int) -> CBORValue { Self.bytes(count) }

    @Test("EdDSA: Ed25519, 32 bytes, no point of small order")
    func edwards() {
        let x = CBORValue.bytes(Array(Curve25519.Signing.PrivateKey().publicKey.rawRepresentation))
        #expect(Self.fault([1: 1, 3: -8, -1: 6, -2: x]) == nil)
        let identity = CBORValue.bytes([1] + [UInt8](repeating: 0, count: 31))
        let rows: [(CBORMap, COSEKeyFault)] = [
            ([1: 2, 3: -8, -1: 6, -2: x], .wrongKeyType), ([1: 1, 3: -8, -1: 7, -2: x], .wrongCurve),
            ([1: 1, 3: -8, -1: 1, -2: x], .wrongCurve), ([1: 1, 3: -8, -1: 4, -2: x], .wrongCurve),
            ([1: 1, 3: -19, -1: 6, -2: x], .unknownAlgorithm), ([1: 1, 3: -8, -1: 6, -2: bytes(57)], .wrongLength),
            ([1: 1, 3: -8, -1: 6, -2: bytes(31)], .wrongLength), ([1: 1, 3: -8, -1: 6, -2: identity], .weak),
            ([1: 1, 3: -8, -1: 6], .parameters), ([1: 1, 3: -8, -1: 6, -2: x, -3: x], .parameters),
            ([1: 1, 3: -8, -1: 6, -2: x, -4: x], .parameters),
        ]
        for (key, expected) in rows { #expect(Self.fault(key) == expected) }
    }

    @Test("RS256: a modulus of 256 to 512 bytes without a zero in front, and the exponent 65537")
    func rsa() throws {
        let numbers = try _RSA.Signing.PrivateKey(keySize: .bits2048).publicKey.getKeyPrimitives()
        let modulus = Array(numbers.modulus)
        let exponent = CBORValue.bytes([1, 0, 1])
        #expect(Self.fault([1: 3, 3: -257, -1: .bytes(modulus), -2: exponent]) == nil)
        let rows: [(CBORMap, COSEKeyFault)] = [
            ([1: 3, 3: -257, -1: .bytes([0] + modulus), -2: exponent], .wrongLength),
            ([1: 3, 3: -257, -1: .bytes(Array(modulus.dropLast())), -2: exponent], .wrongLength),
            ([1: 3, 3: -257, -1: Self.bytes(513, 0xFF), -2: exponent], .wrongLength),
            ([1: 3, 3: -257, -1: .bytes(Self.modulusOfROCA), -2: exponent], .weak),
            // A first byte of 1 makes 2041 bits.
            ([1: 3, 3: -257, -1: .bytes([1] + modulus.dropFirst()), -2: exponent], .wrongLength),
            ([1: 3, 3: -257, -1: .bytes(modulus), -2: .bytes([3])], .wrongExponent),
            ([1: 3, 3: -257, -1: .bytes(modulus), -2: .bytes([0, 1, 0, 1])], .wrongExponent),
            ([1: 3, 3: -257, -1: .bytes(modulus), -2: 65537], .wrongExponent),
            ([1: 2, 3: -257, -1: .bytes(modulus), -2: exponent], .wrongKeyType),
            ([1: 3, 3: -37, -1: .bytes(modulus), -2: exponent], .unknownAlgorithm),
            ([1: 3, 3: -65535, -1: .bytes(modulus), -2: exponent], .unknownAlgorithm),
            ([1: 3, 3: -257, -1: .bytes(modulus)], .parameters),
            ([1: 3, 3: -257, -1: .bytes(modulus), -2: exponent, -3: exponent], .parameters),
        ]
        for (key, expected) in rows { #expect(Self.fault(key) == expected) }
    }

    /// A modulus that is 1, and so a power of 65537, modulo each prime up to 167, as the broken generator makes it.
    private static let modulusOfROCA: [UInt8] = {
        let primes = (3...167).filter { number in !(2..<number).contains { number.isMultiple(of: $0) } }
        var digits = [UInt8](repeating: 0xC4, count: 232)
        for prime in primes {
            var carry = 0
            digits = digits.map { digit in
                carry += Int(digit) * prime
                defer { carry >>= 8 }
                return UInt8(carry & 0xFF)
            }
            if carry > 0 { digits.append(UInt8(carry)) }
        }
        // Little-endian until here, and even, so that 1 more carries nothing.
        digits[0] += 1
        return digits.reversed()
    }()

    @Test("what is no map, or has something behind it, is no key")
    func form() {
        #expect(Self.fault([0x80]) == .parameters)
        #expect(Self.fault([0xA0]) == .unknownAlgorithm)
        #expect(Self.fault([]) == .cbor(.truncated))
        #expect(Self.fault(SoftwareAuthenticator().coseKey.encoded + [0]) == .cbor(.trailingBytes))
    }

    @Test("a signature is of its own key and message, in the one form of its algorithm")
    func signatures() throws {
        let message = Array("message".utf8)
        let (es256, es256Signature) = try Self.es256(message)
        let (edDSA, edDSASignature) = try Self.edDSA(message)
        let (rs256, rs256Signature) = try Self.rs256(message)
        let keys = [(es256, es256Signature), (edDSA, edDSASignature), (rs256, rs256Signature)]
        for (key, signature) in keys {
            for (other, otherSignature) in keys {
                #expect(key.isValid(signature: otherSignature, for: message) == (key == other))
            }
            #expect(!key.isValid(signature: signature, for: message + [0]))
            for changed in [[], [0], signature + [0], [0] + signature, Array(signature.dropLast())] {
                #expect(!key.isValid(signature: changed, for: message))
            }
            #expect(!key.isValid(signature: [UInt8](repeating: 0, count: signature.count), for: message))
        }
    }

    @Test("DER that is not strict is no ES256 signature")
    func strictDER() throws {
        let message = Array("message".utf8)
        let (key, signature) = try Self.es256(message)
        let raw = Array(try P256.Signing.ECDSASignature(derRepresentation: signature).rawRepresentation)
        func integer(_ bytes: [UInt8]) -> [UInt8] { [0x02, UInt8(bytes.count)] + bytes }
        func sequence(_ content: [UInt8]) -> [UInt8] { [0x30, UInt8(content.count)] + content }
        let (r, s) = ([0] + Array(raw.prefix(32)), [0] + Array(raw.suffix(32)))
        let content = Array(signature.dropFirst(2))
        let forms: [[UInt8]] = [
            raw, sequence(integer([0] + r) + integer([0] + s)), [0x30, 0x81, UInt8(content.count)] + content,
            [0x30, 0x80] + content + [0, 0], sequence(content + [0x05, 0x00]), [0x31] + signature.dropFirst(),
            sequence(integer([]) + integer([])), sequence(integer([0]) + integer([0])),
            sequence(integer([1]) + integer([1])), sequence(integer([0xFF]) + integer([0xFF])),
            sequence(integer([UInt8](repeating: 0x7F, count: 33)) + integer([1])),
            sequence(integer([UInt8](repeating: 0x7F, count: 60)) + integer([UInt8](repeating: 0x7F, count: 60))),
        ]
        for form in forms { #expect(!key.isValid(signature: form, for: message)) }
    }

    private static func es256(_ message: [UInt8]) throws -> (COSEKey, [UInt8]) {
        let authenticator = SoftwareAuthenticator()
        let signature = try authenticator.key.signature(for: message)
        return (try COSEKey(parsing: authenticator.coseKey.encoded), Array(signature.derRepresentation))
    }

    private static func edDSA(_ message: [UInt8]) throws -> (COSEKey, [UInt8]) {
        let key = Curve25519.Signing.PrivateKey()
        let map: CBORMap = [1: 1, 3: -8, -1: 6, -2: .bytes(Array(key.publicKey.rawRepresentation))]
        return (try COSEKey(parsing: CBORValue.map(map).encoded), Array(try key.signature(for: message)))
    }

    private static func rs256(_ message: [UInt8]) throws -> (COSEKey, [UInt8]) {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let numbers = try key.publicKey.getKeyPrimitives()
        let map: CBORMap = [
            1: 3, 3: -257, -1: .bytes(Array(numbers.modulus)), -2: .bytes(Array(numbers.publicExponent)),
        ]
        let signature = try key.signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        return (try COSEKey(parsing: CBORValue.map(map).encoded), Array(signature.rawRepresentation))
    }
}
