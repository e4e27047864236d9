import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

/// Table J of the attack catalogue with *valid* signatures: every refusal here is a refusal of the form.
@Suite struct SignedHeaderTests {
    /// The header is written with `ALG` and `KID` for the genuine names.
    struct Row: Sendable, CustomTestStringConvertible {
        let header: String
        let fault: TokenFault?

        init(_ header: String, _ fault: TokenFault?) {
            self.header = header
            self.fault = fault
        }

        var testDescription: String { String(header.prefix(80)) }
    }

    private static func member(_ member: String, _ fault: TokenFault?) -> Row {
        Row(#"{"alg":"ALG","kid":"KID",\#(member)}"#, fault)
    }

    static let accepted: [Row] = [
        Row(#"{"alg":"ALG","kid":"KID"}"#, nil), Row(#"{"kid":"KID","alg":"ALG"}"#, nil),
        Row(" {\n \"alg\" : \"ALG\" ,\t\"kid\" : \"KID\" } ", nil),
        Row(#"{"\u0061lg":"ALG","kid":"KID"}"#, nil),
        member(#""typ":"anything""#, nil), member(#""x":1e300"#, nil), member(#""x":-0"#, nil),
        member(#""cty":"JWT""#, nil), member(#""p2c":2147483647"#, nil), member(#""x":[[[[[[[0]]]]]]]"#, nil),
    ]

    static let algorithms: [Row] =
        [
            "none", "None", "NONE", "nOnE", " none", "none ", "none\\u0000", "", "es256", "Es256", "eddsa", "ALG ",
            " ALG", "ALG\\u0000", "ES256K", "ES384", "ES512", "RS256", "RS512", "PS256", "HS384", "HS512", "RSA1_5",
            "dir", "A256KW", "PBES2-HS256+A128KW", "ECDH-ES", "ES256;HS256",
        ].map { Row(#"{"alg":"\#($0)","kid":"KID"}"#, .wrongAlgorithm) }
        + ["null", "true", "256", "1e300", "[\"ALG\"]", "{\"ALG\":1}", "[]"].map {
            Row(#"{"alg":\#($0),"kid":"KID"}"#, .wrongAlgorithm)
        } + [Row(#"{"kid":"KID"}"#, .wrongAlgorithm), Row(#"{"Alg":"ALG","kid":"KID"}"#, .wrongAlgorithm)]

    static let keyIDs: [Row] =
        [
            "", "k2", "K1", "KID ", " KID", "KID\\u0000", "KID\\u0000x", "../../../../dev/null",
            "/proc/sys/kernel/randomize_va_space", "x' UNION SELECT '1'--", ";sleep 10", "*", "%6b1",
            String(repeating: "k", count: 600), "\\ud83d\\ude00",
        ].map { Row(#"{"alg":"ALG","kid":"\#($0)"}"#, .unknownKey) }
        + [Row(#"{"alg":"ALG"}"#, .unknownKey), Row(#"{"alg":"ALG","Kid":"KID"}"#, .unknownKey)]
        + ["null", "1", "[\"KID\"]", "{}", "true"].map {
            Row(#"{"alg":"ALG","kid":\#($0)}"#, .malformed("kid is not a string"))
        }

    static let extensions: [Row] =
        [
            #""crit":["evil"],"evil":1"#, #""crit":["exp"]"#, #""crit":[]"#, #""crit":["alg"]"#,
            #""crit":["x","x"],"x":1"#,
            #""crit":["absent"]"#, #""crit":null"#, #""crit":"exp""#, #""crit":["b64"],"b64":false"#, #""b64":false"#,
            #""b64":true"#, #""zip":"DEF""#, #""enc":"A128GCM""#, #""\u0063rit":["evil"]"#,
        ].map { member($0, .criticalHeader) }
        + [
            #""jku":"http://127.0.0.1:9/jwks.json""#, #""jku":"file:///etc/passwd""#, #""x5u":"http://127.0.0.1:9/""#,
            #""x5c":["MIIB"]"#, #""x5c":[]"#, #""jwk":null"#, #""jwk":{"kty":"oct","k":""}"#, #""\u006aku":"x""#,
        ].map { member($0, .foreignKeyHeader) }

    /// Headers that two parsers could read differently.
    static let ambiguous: [String] = [
        #"{"alg":"ALG","alg":"none","kid":"KID"}"#, #"{"alg":"none","alg":"ALG","kid":"KID"}"#,
        #"{"alg":"ALG","\u0061lg":"none","kid":"KID"}"#, #"{"alg":"ALG","kid":"KID","kid":"k2"}"#,
        #"{"alg":"ALG","kid":"KID","x":{"a":1,"a":2}}"#, "\u{FEFF}{\"alg\":\"ALG\",\"kid\":\"KID\"}",
        #"{"alg":"ALG","kid":"KID"}x"#, #"{"alg":"ALG","kid":"KID"}{}"#, "{\"alg\":\"ALG\",\"kid\":\"KID\"}\u{0}",
        #"{"alg":"ALG","kid":"KID",}"#, #"{"alg":"ALG","kid":"KID","x":"\ud800"}"#, #"{'alg':'ALG','kid':'KID'}"#,
        #"{"alg":"ALG","kid":"KID","x":1e400}"#, #"{"alg":"ALG","kid":"KID","x":01}"#,
        #"{"alg":"ALG","kid":"KID","x":NaN}"#, #"{"alg":"ALG","kid":"KID","typ":1}"#,
        #"{"alg":"ALG","kid":"KID","typ":["at+jwt"]}"#, #"{"alg":"ALG","kid":"KID","typ":null}"#,
        #"[{"alg":"ALG","kid":"KID"}]"#, #""ALG""#, "null", "", "{", "{}{}",
        #"{"alg":"ALG","kid":"KID","x":"# + String(repeating: "9", count: 600) + "}",
        #"{"alg":"ALG","kid":"KID","x":"# + String(repeating: "[", count: 500) + "}",
        #"{"alg":"ALG","kid":"KID","x":"# + String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
            + "}",
    ]

    private func token(_ header: String, _ forge: Forge) throws -> String {
        try forge.token(header: Self.fill(header, forge))
    }

    private static func fill(_ text: String, _ forge: Forge) -> String {
        text.replacing("ALG", with: forge.algorithm.headerName).replacing("KID", with: Forge.kid)
    }

    @Test("a well-formed header passes", arguments: Forge.algorithms, accepted)
    func accepts(_ algorithm: SignatureAlgorithm, _ row: Row) throws {
        let forge = try Forge(algorithm)
        #expect(forge.verdict(try token(row.header, forge)) == nil)
    }

    @Test(
        "a signed header is refused for its content, with any signature",
        arguments: Forge.algorithms, algorithms + keyIDs + extensions)
    func refuses(_ algorithm: SignatureAlgorithm, _ row: Row) throws {
        let forge = try Forge(algorithm)

        #expect(forge.verdict(try token(row.header, forge)) == row.fault)
    }

    @Test("a signed header that can be read two ways is refused", arguments: Forge.algorithms, ambiguous)
    func refusesAmbiguity(_ algorithm: SignatureAlgorithm, _ header: String) throws {
        let forge = try Forge(algorithm)
        let verdict = forge.verdict(try token(header, forge))
        guard case .malformed = verdict else {
            Issue.record("\(header.prefix(60)) gave \(String(describing: verdict))")
            return
        }
    }

    @Test("encodings other than UTF-8 are refused, in the header and in the claims", arguments: Forge.algorithms)
    func encodings(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        let header = forge.header()
        let ascii = Array(header.utf8)
        let encodings: [[UInt8]] = [
            ascii.flatMap { [$0, 0] }, ascii.flatMap { [0, $0] }, [0xFF, 0xFE] + ascii.flatMap { [$0, 0] },
            [0xFE, 0xFF] + ascii.flatMap { [0, $0] }, ascii.flatMap { [$0, 0, 0, 0] }, [0xEF, 0xBB, 0xBF] + ascii,
            ascii.dropLast() + Array(#","x":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8),
            ascii.dropLast() + Array(#","x":""#.utf8) + [0xED, 0xA0, 0x80] + Array(#""}"#.utf8),
        ]
        for bytes in encodings {
            #expect(forge.verdict(try forge.token(header: bytes, payload: Array("{}".utf8))) != nil)
            let jws = try VerifiedJWS.verify(
                Array(try forge.token(header: ascii, payload: bytes).utf8), with: forge.keys)
            #expect(throws: TokenFault.self) { try jws.claims() }
        }
    }

    @Test(
        "EdDSA and Ed25519 are two names of one algorithm (RFC 9864); there is no third",
        arguments: ["Ed448", "ED25519", "ed25519"])
    func edwards(_ other: String) throws {
        let forge = try Forge(.ed25519)
        for (name, fault) in [("EdDSA", nil), ("Ed25519", nil), (other, TokenFault.wrongAlgorithm)] {
            #expect(forge.verdict(try forge.token(header: #"{"alg":"\#(name)","kid":"k1"}"#)) == fault)
        }
    }

    @Test("a key inside a token is not used to verify it")
    func embeddedKey() throws {
        let attacker = try Forge(.es256)
        let trusted = try Forge(.es256)
        let jwk = String(decoding: JSONValue.object(attacker.jwk).serialized, as: UTF8.self)
        let token = try attacker.token(header: #"{"alg":"ES256","kid":"k1","jwk":\#(jwk)}"#)
        #expect(trusted.verdict(token) == .foreignKeyHeader)
        #expect(attacker.verdict(token) == .foreignKeyHeader, "also with the right key")
        #expect(trusted.verdict(try attacker.token(header: attacker.header())) == .badSignature)
    }

    @Test("without kid no key of several is tried, not even the right one")
    func manyKeys() throws {
        let forge = try Forge(.es256, kid: nil)
        let token = try forge.token(header: #"{"alg":"ES256"}"#)
        #expect(forge.verdict(token) == nil, "one key without kid")
        let strangers = try (0..<99).map { _ in JSONValue.object(try Forge(.es256, kid: nil).jwk) }
        let many = try KeySet(parsing: JSONValue.object(["keys": .array(strangers + [.object(forge.jwk)])]).serialized)
        #expect(fault { try VerifiedJWS.verify(Array(token.utf8), with: many) } == .unknownKey)
    }

    @Test("a bad token with another alg does not bind a key that has no alg (J08)")
    func pinning() throws {
        let key = try SigningKey.generate(.rs256)
        var jwk = try key.publicJWK()
        jwk["alg"] = nil
        let keys = try KeySet(parsing: JSONValue.object(jwk).serialized)
        let genuine = try key.sign(["sub": "s"], type: "JWT")
        for name in ["RS512", "PS256", "RS384", "HS256", "none"] {
            let header = Base64URL.encode(Array(#"{"alg":"\#(name)","kid":"\#(key.id)"}"#.utf8))
            let garbage = Array("\(header).e30.\(Base64URL.encode([UInt8](repeating: 1, count: 384)))".utf8)
            #expect(fault { try VerifiedJWS.verify(garbage, with: keys) } == .wrongAlgorithm)
            #expect(try VerifiedJWS.verify(genuine, with: keys).claims() == ["sub": "s"])
        }
    }

    @Test(
        "size is checked before decoding: 8,192 bytes are accepted, one more is not",
        arguments: Forge.algorithms)
    func size(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        let empty = try forge.token(header: forge.header(), payload: "")
        // Every three bytes of payload are four characters.
        let room = VerifiedJWS.maximumSize - empty.utf8.count
        let fits = try forge.token(
            header: Array(forge.header().utf8), payload: [UInt8](repeating: 0x20, count: room * 3 / 4))
        #expect(fits.utf8.count <= VerifiedJWS.maximumSize && forge.verdict(fits) == nil)
        let long = try forge.token(
            header: Array(forge.header().utf8), payload: [UInt8](repeating: 0x20, count: room * 3 / 4 + 2))
        #expect(long.utf8.count > VerifiedJWS.maximumSize)
        #expect(forge.verdict(long) == .malformed("the token is longer than 8192 bytes"))
    }

    @Test("a header of 1,024 characters is accepted, a longer one is not", arguments: Forge.algorithms)
    func headerSize(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        func padded(_ bytes: Int) -> String {
            let bare = forge.header(#","pad":"""#).utf8.count
            return forge.header(#","pad":"\#(String(repeating: "x", count: bytes - bare))""#)
        }
        #expect(forge.verdict(try forge.token(header: padded(768))) == nil)
        #expect(forge.verdict(try forge.token(header: padded(769))) != nil)
    }

    // The time limit is far above a refusal on a busy machine, and far below parsing the whole input.
    @Test(
        "deeply nested and very long input is refused quickly", .timeLimit(.minutes(2)),
        arguments: ["[", "{\"a\":", "\"\\u00", "-", "9"])
    func bombs(_ piece: String) throws {
        let forge = try Forge(.hs256)
        let keys = forge.keys
        let deep = Base64URL.encode(Array(String(repeating: piece, count: 100_000).utf8))
        let shallow = Base64URL.encode(Array(String(repeating: piece, count: 700 / piece.utf8.count).utf8))
        for text in ["\(deep).e30.AAAA", "\(shallow).e30.AAAA", "e30.\(deep).AAAA", "e30.e30.\(deep)"] {
            #expect(throws: TokenFault.self) { try VerifiedJWS.verify(Array(text.utf8), with: keys) }
        }
    }
}
