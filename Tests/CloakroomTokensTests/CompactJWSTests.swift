import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

@Suite struct CompactJWSTests {
    private let world: TokenWorld
    private let token: String

    init() throws {
        world = try TokenWorld()
        token = String(decoding: try world.access().token.bytes, as: UTF8.self)
    }

    private var parts: [String] { token.split(separator: ".").map(String.init) }

    private func verdict(_ token: String) -> TokenFault? {
        fault { try VerifiedJWS.verify(Array(token.utf8), with: world.keySet) }
    }

    /// The token with another header and its own payload and signature.
    private func withHeader(_ header: String) -> String {
        [Base64URL.encode(Array(header.utf8)), parts[1], parts[2]].joined(separator: ".")
    }

    private var kid: String { world.keys.current.signingKey(at: TokenWorld.now).id }

    @Test("a genuine token passes")
    func genuine() {
        #expect(verdict(token) == nil)
    }

    @Test(
        "an alg that is not the key's is refused before the signature is verified",
        arguments: [
            "none", "None", "NONE", "nOnE", " none", "HS256", "ES384", "RS256", "es256", "Es256", "EdDSA", "ES256 ", "",
            "PS256", "ECDH-ES",
        ])
    func algorithm(_ name: String) {
        #expect(verdict(withHeader(#"{"alg":"\#(name)","kid":"\#(kid)","typ":"at+jwt"}"#)) == .wrongAlgorithm)
    }

    @Test(
        "a header whose alg is no string is refused",
        arguments: [
            #"{"kid":"KID"}"#, #"{"alg":256,"kid":"KID"}"#, #"{"alg":["ES256"],"kid":"KID"}"#,
            #"{"alg":null,"kid":"KID"}"#,
        ])
    func algorithmType(_ header: String) {
        #expect(verdict(withHeader(header.replacing("KID", with: kid))) == .wrongAlgorithm)
    }

    @Test(
        "no default key: an unknown or missing kid finds no key",
        arguments: [
            #"{"alg":"ES256"}"#, #"{"alg":"ES256","kid":"other"}"#, #"{"alg":"ES256","kid":""}"#,
            #"{"alg":"ES256","kid":"../../dev/null"}"#, #"{"alg":"ES256","kid":"x' UNION SELECT '1'--"}"#,
        ])
    func keyID(_ header: String) {
        #expect(verdict(withHeader(header)) == .unknownKey)
    }

    @Test(
        "extensions are refused",
        arguments: [
            #""crit":["exp"]"#, #""crit":[]"#, #""b64":false"#, #""crit":["b64"],"b64":false"#, #""zip":"DEF""#,
            #""enc":"A128GCM""#,
        ])
    func critical(_ member: String) {
        #expect(verdict(withHeader(#"{"alg":"ES256","kid":"\#(kid)",\#(member)}"#)) == .criticalHeader)
    }

    @Test(
        "a token that contains or links to its own key is refused",
        arguments: [
            #""jwk":{"kty":"EC"}"#, #""jku":"http://127.0.0.1/""#, #""x5u":"file:///etc/passwd""#, #""x5c":["MII"]"#,
        ])
    func foreignKey(_ member: String) {
        #expect(verdict(withHeader(#"{"alg":"ES256","kid":"\#(kid)",\#(member)}"#)) == .foreignKeyHeader)
    }

    @Test("the public key is not a secret: HS256 over any spelling of it is refused")
    func confusion() throws {
        let jwk = try world.keys.current.signingKey(at: TokenWorld.now).publicJWK()
        let point = Base64URL.decode(jwk["x"]?.stringValue ?? "")! + Base64URL.decode(jwk["y"]?.stringValue ?? "")!
        let pem = try P256.Signing.PublicKey(rawRepresentation: point).pemRepresentation
        let der = try P256.Signing.PublicKey(rawRepresentation: point).derRepresentation
        let message = Base64URL.encode(Array(#"{"alg":"HS256","kid":"\#(kid)"}"#.utf8)) + "." + parts[1]
        for secret in [Array(pem.utf8), Array(der), point, JSONValue.object(jwk).serialized, []] {
            let mac = HMAC<SHA256>.authenticationCode(for: Array(message.utf8), using: SymmetricKey(data: secret))
            #expect(verdict(message + "." + Base64URL.encode(Array(mac))) == .wrongAlgorithm)
        }
    }

    @Test("a malformed token is refused before anything else")
    func form() {
        let (header, payload, signature) = (parts[0], parts[1], parts[2])
        let broken = [
            "", ".", "..", "...", "a.b", "\(header).\(payload)", "\(header).\(payload).",
            "\(header).\(payload).\(signature).x",
            "\(header)..\(signature)", " \(token)", "\(token) ", "\(token)\n", "\(token)=",
            "\(header)=.\(payload).\(signature)",
            "\(header).\(payload).\(signature)==", "\(header).\(payload).\(signature.replacing("-", with: "+"))A",
            "{\"payload\":\"\(payload)\",\"protected\":\"\(header)\",\"signature\":\"\(signature)\"}",
            "\(header).\(payload).\(signature).\(signature).\(signature)", token + String(repeating: "A", count: 9000),
            String(repeating: "A", count: 1_000_000),
        ]
        for text in broken { #expect(verdict(text) != nil, "\(text.prefix(40))") }
    }

    @Test("a header that other parsers could read differently is refused")
    func header() {
        let headers = [
            #"{"alg":"ES256","alg":"none","kid":"KID"}"#, #"{"alg":"ES256","\u0061lg":"none","kid":"KID"}"#,
            #"{"alg":"ES256","kid":"KID","kid":"x"}"#, #"[{"alg":"ES256"}]"#,
            "\u{FEFF}{\"alg\":\"ES256\",\"kid\":\"KID\"}",
            #"{"alg":"ES256","kid":1}"#, #"{"alg":"ES256","kid":"KID","typ":["at+jwt"]}"#,
            #"{"alg":"ES256","kid":"KID","x":1e400}"#,
            #"{"alg":"ES256","kid":"KID","x":"# + String(repeating: "[", count: 500) + "}",
        ]
        for header in headers { #expect(verdict(withHeader(header.replacing("KID", with: kid))) != nil) }
        let deep = #"{"alg":"ES256","kid":"\#(kid)","pad":"\#(String(repeating: "x", count: 2000))"}"#
        #expect(verdict(withHeader(deep)) == .malformed("the header is not base64url, or too long"))
    }

    @Test("psychic signatures are refused", arguments: [UInt8(0), 0xFF])
    func psychic(_ byte: UInt8) {
        let signature = Base64URL.encode([UInt8](repeating: byte, count: 64))
        #expect(verdict("\(parts[0]).\(parts[1]).\(signature)") == .badSignature)
    }

    @Test("the malleated signature (r, n - s) verifies too, so no denial may be keyed on the token string")
    func malleable() throws {
        let order: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD,
            0xA7,
            0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ]
        let signature = try #require(Base64URL.decode(parts[2]))
        var borrow = 0
        var twin = [UInt8](repeating: 0, count: 32)
        for index in (0..<32).reversed() {
            let difference = Int(order[index]) - Int(signature[32 + index]) - borrow
            borrow = difference < 0 ? 1 : 0
            twin[index] = UInt8((difference + 256) % 256)
        }
        let text = "\(parts[0]).\(parts[1]).\(Base64URL.encode(Array(signature[..<32]) + twin))"
        #expect(text != token)
        let access = try world.verifier.verify(bearer: Array(text.utf8), at: TokenWorld.now)
        world.verifier.revocations.insert(access.session, at: TokenWorld.uptime)
        #expect(world.verifier.revocations.isRevoked(access.session))
    }

    @Test(
        "typ is exact, alone or after application/",
        arguments: [
            ("at+jwt", true), ("application/at+jwt", true), ("AT+JWT", false), ("JWT", false), ("jwt", false),
            ("rt+jwt", false),
            ("at+jwt;x", false), ("", false), ("application/application/at+jwt", false), ("text/at+jwt", false),
        ])
    func type(_ type: String, _ isAccepted: Bool) throws {
        let jws = try VerifiedJWS.verify(try world.sign([:], type: type), with: world.keySet)
        #expect((fault { try jws.checkType("at+jwt") } == nil) == isAccepted)
    }
}

@Suite struct MutationTests {
    @Test(
        "no mutant of a genuine token is accepted, and none crashes",
        arguments: [(SignatureAlgorithm.es256, 3000), (.ed25519, 3000), (.rs256, 1000)])
    func mutants(_ algorithm: SignatureAlgorithm, _ count: Int) throws {
        let world = try TokenWorld(algorithm)
        let token = try world.access().token.bytes
        for mutant in Mutants(of: token, count: count) where mutant != token {
            #expect(throws: TokenFault.self) { try VerifiedJWS.verify(mutant, with: world.keySet) }
        }
    }

    @Test("no mutant of a cookie is accepted")
    func cookies() throws {
        let world = try TokenWorld()
        let cookie = try world.cookie()
        for mutant in Mutants(of: cookie, count: 5000) where mutant != cookie {
            #expect(throws: TokenFault.self) { try world.verifier.verify(cookie: mutant, at: TokenWorld.now) }
        }
    }
}

/// Mutants of a text: flipped bits, other characters, truncations, insertions. The same in every run.
struct Mutants: Sequence, IteratorProtocol {
    private let original: [UInt8]
    private var remaining: Int
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(of original: [UInt8], count: Int) {
        self.original = original
        remaining = count
    }

    mutating func next() -> [UInt8]? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        var bytes = original
        for _ in 0...Int(random(3)) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let index = Int(random(UInt64(bytes.count)))
        switch random(6) {
        case 0: bytes[index] ^= 1 << UInt8(random(8))
        case 1: bytes[index] = UInt8(random(256))
        case 2: bytes.removeLast(Swift.min(bytes.count, Int(random(8)) + 1))
        case 3: bytes.insert(UInt8(random(256)), at: index)
        case 4: bytes.remove(at: index)
        default: bytes.swapAt(index, Int(random(UInt64(bytes.count))))
        }
    }

    private mutating func random(_ bound: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state % bound
    }
}
