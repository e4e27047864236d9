import CloakroomCore
import Crypto
import CryptoExtras

/// Parses a JSON Web Key (RFC 7517) into a key that is bound to one algorithm, or refuses it.
struct JSONWebKey {
    /// Why a key, and with it its whole set, was refused.
    struct Refusal: Error {
        let reason: String
    }

    static func verificationKey(_ jwk: JSONObject) throws(Refusal) -> VerificationKey {
        try checkPurpose(jwk)
        let id = try identifier(jwk)
        switch jwk["kty"]?.stringValue.map({ Array($0.utf8) }) {
        case Array("EC".utf8): return try ellipticCurve(jwk, id: id)
        case Array("OKP".utf8): return try edwards(jwk, id: id)
        case Array("RSA".utf8): return try rsa(jwk, id: id)
        case Array("oct".utf8): return try symmetric(jwk, id: id)
        default: throw Refusal(reason: "kty is not EC, OKP, RSA or oct")
        }
    }

    private static func checkPurpose(_ jwk: JSONObject) throws(Refusal) {
        if let use = jwk["use"], use != "sig" { throw Refusal(reason: "use is not sig") }
        if let operations = jwk["key_ops"] {
            guard operations.arrayValue?.contains("verify") == true else {
                throw Refusal(reason: "key_ops does not allow verify")
            }
        }
    }

    private static func identifier(_ jwk: JSONObject) throws(Refusal) -> String? {
        guard let member = jwk["kid"] else { return nil }
        guard let id = member.stringValue, 1...256 ~= id.utf8.count else {
            throw Refusal(reason: "kid is not a short string")
        }
        return id
    }

    /// The algorithm of the key: its `alg` where that is one of `allowed`, else their first.
    private static func algorithm(_ jwk: JSONObject, allowed: [SignatureAlgorithm]) throws(Refusal)
        -> SignatureAlgorithm
    {
        guard let member = jwk["alg"] else { return allowed[0] }
        guard let name = member.stringValue, let algorithm = SignatureAlgorithm(headerName: name),
            allowed.contains(algorithm)
        else { throw Refusal(reason: "alg does not fit the key") }
        return algorithm
    }

    private static func bytes(_ jwk: JSONObject, _ member: String) throws(Refusal) -> [UInt8] {
        guard let text = jwk[member]?.stringValue, let bytes = Base64URL.decode(text) else {
            throw Refusal(reason: "\(member) is missing or not base64url")
        }
        return bytes
    }

    private static func ellipticCurve(_ jwk: JSONObject, id: String?) throws(Refusal) -> VerificationKey {
        let (x, y) = (try bytes(jwk, "x"), try bytes(jwk, "y"))
        // RFC 7518 section 6.2.1.2: each has the full length of a coordinate; one cut elsewhere spells the key twice.
        guard x.count == y.count else { throw Refusal(reason: "x and y are not of one length") }
        let point = x + y
        do {
            switch jwk["crv"]?.stringValue {
            case "P-256":
                let algorithm = try algorithm(jwk, allowed: [.es256])
                return VerificationKey(
                    id: id, algorithm: algorithm, material: .p256(try .init(rawRepresentation: point)))
            case "P-384":
                let algorithm = try algorithm(jwk, allowed: [.es384])
                return VerificationKey(
                    id: id, algorithm: algorithm, material: .p384(try .init(rawRepresentation: point)))
            case "P-521":
                let algorithm = try algorithm(jwk, allowed: [.es512])
                return VerificationKey(
                    id: id, algorithm: algorithm, material: .p521(try .init(rawRepresentation: point)))
            default:
                throw Refusal(reason: "crv is not P-256, P-384 or P-521")
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(reason: "x and y are not a point of the curve")
        }
    }

    private static func edwards(_ jwk: JSONObject, id: String?) throws(Refusal) -> VerificationKey {
        guard jwk["crv"] == "Ed25519" else { throw Refusal(reason: "crv is not Ed25519") }
        let algorithm = try algorithm(jwk, allowed: [.ed25519])
        let x = try bytes(jwk, "x")
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x), !Edwards25519.isWeak(x) else {
            throw Refusal(reason: "x is not a public key")
        }
        return VerificationKey(id: id, algorithm: algorithm, material: .ed25519(key))
    }

    private static func rsa(_ jwk: JSONObject, id: String?) throws(Refusal) -> VerificationKey {
        let algorithm = try algorithm(jwk, allowed: [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512])
        let modulus = try bytes(jwk, "n")
        let exponent = try bytes(jwk, "e")
        guard modulus.drop(while: { $0 == 0 }).count >= 2048 / 8 else { throw Refusal(reason: "n has under 2048 bits") }
        guard exponent.count <= 4, let last = exponent.last, last % 2 == 1, exponent != [1] else {
            throw Refusal(reason: "e is not a sound public exponent")
        }
        guard !ROCA.isVulnerable(modulus) else { throw Refusal(reason: "n was made by a broken generator (ROCA)") }
        guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else {
            throw Refusal(reason: "n and e are not an RSA key")
        }
        return VerificationKey(id: id, algorithm: algorithm, material: .rsa(key))
    }

    private static func symmetric(_ jwk: JSONObject, id: String?) throws(Refusal) -> VerificationKey {
        let algorithm = try algorithm(jwk, allowed: [.hs256, .hs384, .hs512])
        let secret = try bytes(jwk, "k")
        // RFC 7518 section 3.2: at least as long as the hash.
        let minimum = [.hs384: 48, .hs512: 64][algorithm] ?? 32
        guard secret.count >= minimum else { throw Refusal(reason: "k is too short for \(algorithm.rawValue)") }
        return VerificationKey(id: id, algorithm: algorithm, material: .symmetric(SymmetricKey(data: secret)))
    }
}
