import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

/// Accepted and refused keys: the rules of `cloakroom verify` in the contract, and table J's poisoned key sets.
@Suite struct JSONWebKeyTests {
    static let p256 =
        #""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#
    static let ed25519 = #""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#
    /// A modulus of 2,048 bits, and odd ones of fewer, as `openssl genrsa` made them.
    static let n2048 =
        "n2yqZzPTx23aZtOfhbaMZWXSfQ0Su8Pm461iow-4ww0Xu2z7yIydgR1C4YLA9lfalmd4nvhFE6s3D1WHXPMGH8eGWoIUNBBsO3WmuLVc2v3Cms7hzYzLC7yNpbHqonupfRtfWv2F5d4vDoleq30OaDouVtAnDrdEdMn2Z09VsTOMbxaa03-qzte6KHS9w9l235jEAQLnJag8nZjCkBhctzAa7LU2w32-tyLpk_OV9umW5ye5-ggEI9PNeOv7mhdwsFGqjtPgX2SmSNcrK3gyBZzSFJrYeCDWw1djAeCC_vwf7quTNOB2aEM0BAL46yceIV6JmJvW5-Urn6uZqk01Rw"
    static let shortModuli = [
        "bpjnDYFUWS5jvYCZ7bGKxzkyYbyIQquboaEkKqLtyiZTwFPtAF5KTZkNF1KAMqGCWZOkARKU3a-irLU3jOk4K4gNbjGonFX89hPZudLNTAqu4pfPPX7GW4wZ_S01wALgoqany3JYGL0oRnpYwLUApbeSMmTd8NCaYVg76smcyxID8i_ADcCPiNwbTyK0z9w1eb-Dv6IoulfwopF6Clzx-6z_8sGoMyD9jTc-TNe3uaqhkQX5s1dx3aAw4SXCspl_wVybPajB4anAo1X66Rq6DBM93t06fRexEbQoLijvahA_KG7GjA2H5Z_Zm5WXRXyMyx9V3wNf94g-D0Qpcql_PQ",
        "AZIv1aNOt7Uv8KvqC-KvhspS_ZjngECGYFiUCSLshdP22olDzmbZz7i2mUegjZsHrYSTWEyzBRRj6rWX-g6syH0b11SeG4Azn1adT_AsPH0QoBXAXMKLHwdD5oh3W3tkfruNmAOimkjXVZ0N0RYmQx3FYHdi6VBFT_VfndJ-w-9sb9FS-2VY1BOlLj-qcbccC6i2tWtZtblIWPgJgjamtaLA82cXmlVvj7y2ZxDzdA7_4SgVocz71s3-8WtvoMvbEp2uYIzKlTxk-kAMN8hOI2KK2J0G6s-Yzqbbf1B87lJzype09c9WHt7Xzn5iCVVp7iv5Nczw2-brcxc6JJ4a8Q",
        "2bwjzObN7kIjgTK5ltuXFelojxQzjcdp0lQYvC8mhdRoecfmYnXUG7n6pjWpOPllYrL1UdqvFBmk9lzmcz6nuztfqvExPTtiBmK2lFFuNWbVZnmXpZg99SAv4l0mSFl7o5STFd-bm40ZGvmXBFkcyiXB6cFxStu_-2C1SK7fexPb4_qY7CfHobUEcAYojq112tc5q2MwG06bCgEspTvgPCi04bmZME04G9gZDz_FIbFUnIKtv3Yt2ub2GCGdGqZqzTlGoQBMaMDUKdZimeG8k-40hxObnTwasEibEgru_T7wNvQwJJV-dCuzErG8fzWtH4Yye-pgQC8ccPMsDcSN",
    ]

    static func read(_ text: String) -> Result<KeySet, KeySet.Refusal> {
        Result { () throws(KeySet.Refusal) in try KeySet(parsing: Array(text.utf8)) }
    }

    static func isRefused(_ text: String) -> Bool {
        if case .failure = read(text) { true } else { false }
    }

    private static func rsa(n: String = n2048, e: String = "AQAB", _ extra: String = "") -> String {
        #"{"kty":"RSA","n":"\#(n)","e":"\#(e)"\#(extra)}"#
    }

    private static func secret(_ count: Int, _ extra: String = "") -> String {
        #"{"kty":"oct","k":"\#(Base64URL.encode([UInt8](repeating: 0xA5, count: count)))"\#(extra)}"#
    }

    static func point<Key>(_ curve: String, _ key: Key, _ raw: (Key) -> [UInt8], _ extra: String = "") -> String {
        let bytes = raw(key)
        let (x, y) = (bytes.prefix(bytes.count / 2), bytes.suffix(bytes.count / 2))
        return #"{"kty":"EC","crv":"\#(curve)","x":"\#(Base64URL.encode(x))","y":"\#(Base64URL.encode(y))"\#(extra)}"#
    }

    @Test("without alg, a curve implies its one algorithm, RSA implies RS256, and a secret HS256")
    func defaults() throws {
        let keys: [(String, SignatureAlgorithm)] = [
            (#"{"kty":"EC","crv":"P-256",\#(Self.p256)}"#, .es256),
            (Self.point("P-384", P384.Signing.PrivateKey().publicKey) { Array($0.rawRepresentation) }, .es384),
            (Self.point("P-521", P521.Signing.PrivateKey().publicKey) { Array($0.rawRepresentation) }, .es512),
            (#"{"kty":"OKP","crv":"Ed25519",\#(Self.ed25519)}"#, .ed25519), (Self.rsa(), .rs256),
            (Self.secret(32), .hs256),
        ]
        for (text, algorithm) in keys { #expect(try Self.read(text).get().keys.map(\.algorithm) == [algorithm]) }
    }

    @Test(
        "an alg that fits the key is the only one that it is used with",
        arguments: [
            ("RS256", SignatureAlgorithm.rs256), ("RS384", .rs384), ("RS512", .rs512), ("PS256", .ps256),
            ("PS384", .ps384),
            ("PS512", .ps512),
        ])
    func bound(_ name: String, _ algorithm: SignatureAlgorithm) throws {
        #expect(try Self.read(Self.rsa(#","alg":"\#(name)""#)).get().keys.map(\.algorithm) == [algorithm])
        #expect(Self.isRefused(#"{"kty":"EC","crv":"P-256","alg":"\#(name)",\#(Self.p256)}"#))
        #expect(Self.isRefused(#"{"kty":"OKP","crv":"Ed25519","alg":"\#(name)",\#(Self.ed25519)}"#))
        #expect(Self.isRefused(Self.secret(64, #","alg":"\#(name)""#)))
    }

    @Test(
        "an alg of another family, for encryption, of no registry, or of a wrong kind refuses the key",
        arguments: [
            "\"HS256\"", "\"ES384\"", "\"ES512\"", "\"ES521\"", "\"ES256K\"", "\"es256\"", "\"none\"", "\"\"",
            "\"RSA-OAEP\"",
            "\"RSA1_5\"", "\"ECDH-ES\"", "\"A128GCM\"", "\"dir\"", "null", "1", "[\"ES256\"]", "true",
        ])
    func foreignAlgorithm(_ name: String) {
        for key in [
            #"{"kty":"EC","crv":"P-256","alg":\#(name),\#(Self.p256)}"#, Self.rsa(#","alg":\#(name)"#),
            #"{"kty":"OKP","crv":"Ed25519","alg":\#(name),\#(Self.ed25519)}"#,
        ] { #expect(Self.isRefused(key)) }
    }

    @Test("use is absent or sig, and key_ops is absent or has verify")
    func purpose() {
        let good = [
            #""use":"sig""#, #""key_ops":["verify"]"#, #""key_ops":["sign","verify"]"#,
            #""use":"sig","key_ops":["verify"]"#,
        ]
        for member in good { #expect(!Self.isRefused(Self.rsa("," + member)), "\(member)") }
        let bad = [
            #""use":"enc""#, #""use":"""#, #""use":"SIG""#, #""use":null"#, #""use":["sig"]"#, #""use":1"#,
            #""key_ops":[]"#,
            #""key_ops":["sign"]"#, #""key_ops":["encrypt","wrapKey"]"#, #""key_ops":"verify""#, #""key_ops":null"#,
            #""key_ops":["Verify"]"#, #""use":"enc","key_ops":["verify"]"#, #""use":"sig","key_ops":["decrypt"]"#,
        ]
        for member in bad { #expect(Self.isRefused(Self.rsa("," + member)), "\(member)") }
    }

    @Test("an RSA modulus has 2,048 bits, not 2,047", arguments: shortModuli)
    func modulus(_ n: String) {
        #expect(!Self.isRefused(Self.rsa()))
        #expect(Self.isRefused(Self.rsa(n: n)))
        let padded = Base64URL.encode([UInt8](repeating: 0, count: 64) + (Base64URL.decode(n) ?? []))
        #expect(Self.isRefused(Self.rsa(n: padded)), "leading zeros do not count as bits")
    }

    @Test("an RSA modulus is odd, of bounded length and in canonical base64url")
    func modulusForm() throws {
        var even = try #require(Base64URL.decode(Self.n2048))
        even[255] &= 0xFE
        #expect(Self.isRefused(Self.rsa(n: Base64URL.encode(even))))
        #expect(Self.isRefused(Self.rsa(n: Base64URL.encode([UInt8](repeating: 0xFF, count: 20_000)))))
        #expect(Self.isRefused(Self.rsa(n: "")) && Self.isRefused(Self.rsa(n: Self.n2048 + "==")))
    }

    @Test(
        "a public exponent is an odd number above one",
        arguments: [
            "", "AA", "AQ", "AAE", "AAAB", "Ag", "BA", "AQAC", "AAAAAA", "AAAAAAEAAQ", "AQAB=", "AQA B",
            "____________w",
        ])
    func exponent(_ e: String) {
        #expect(Self.isRefused(Self.rsa(e: e)))
    }

    @Test("a secret is at least as long as its hash", arguments: [("HS256", 32), ("HS384", 48), ("HS512", 64)])
    func secrets(_ name: String, _ minimum: Int) {
        for count in [0, 1, 16, minimum - 1] { #expect(Self.isRefused(Self.secret(count, #","alg":"\#(name)""#))) }
        for count in [minimum, 200] { #expect(!Self.isRefused(Self.secret(count, #","alg":"\#(name)""#))) }
    }

    @Test("points off their curve, at zero or of another curve are refused")
    func points() {
        let zero = Base64URL.encode([UInt8](repeating: 0, count: 32))
        let full = Base64URL.encode([UInt8](repeating: 0xFF, count: 32))
        let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
        for (one, other) in [
            (zero, zero), (full, full), (x, zero), (zero, x), (x, x), (x, ""), ("", ""), (x, "AA"), (x, x + x),
        ] {
            #expect(Self.isRefused(#"{"kty":"EC","crv":"P-256","x":"\#(one)","y":"\#(other)"}"#))
        }
        let p384 = Self.point("P-256", P384.Signing.PrivateKey().publicKey) { Array($0.rawRepresentation) }
        let p521 = Self.point("P-384", P521.Signing.PrivateKey().publicKey) { Array($0.rawRepresentation) }
        #expect(Self.isRefused(p384) && Self.isRefused(p521))
        for curve in ["secp256k1", "P-224", "p-256", "", "Ed25519", "X25519", "BP-256"] {
            #expect(Self.isRefused(#"{"kty":"EC","crv":"\#(curve)",\#(Self.p256)}"#))
            guard curve != "Ed25519" else { continue }
            #expect(Self.isRefused(#"{"kty":"OKP","crv":"\#(curve)",\#(Self.ed25519)}"#))
        }
        for count in [0, 31, 33, 57, 64] {
            let x = Base64URL.encode([UInt8](repeating: 1, count: count))
            #expect(Self.isRefused(#"{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}"#))
        }
    }

    @Test(
        "members of a wrong type or not in base64url are refused",
        arguments: ["null", "1", "[]", "\"\"", "\"A\"", "\"=\"", "\"a b\"", "\"+/+/\"", "\"\\u0000\""])
    func members(_ value: String) {
        let x = #""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU""#
        for key in [
            #"{"kty":"EC","crv":"P-256",\#(x),"y":\#(value)}"#, #"{"kty":"EC","crv":\#(value),\#(Self.p256)}"#,
            #"{"kty":\#(value),"crv":"P-256",\#(Self.p256)}"#, #"{"kty":"RSA","n":\#(value),"e":"AQAB"}"#,
            #"{"kty":"RSA","n":"\#(Self.n2048)","e":\#(value)}"#, #"{"kty":"oct","k":\#(value)}"#,
            #"{"kty":"OKP","crv":"Ed25519","x":\#(value)}"#,
        ] { #expect(Self.isRefused(key), "\(key.prefix(80))") }
    }

    @Test("a kid is a string of 1 to 256 bytes", arguments: ["null", "1", "\"\"", "[]", "true"])
    func keyID(_ kid: String) {
        #expect(Self.isRefused(Self.rsa(#","kid":\#(kid)"#)))
        #expect(Self.isRefused(Self.rsa(#","kid":"\#(String(repeating: "k", count: 257))""#)))
        #expect(!Self.isRefused(Self.rsa(#","kid":"\#(String(repeating: "k", count: 256))""#)))
    }

    @Test("a set with two keys of the same kid, also if one is written with escapes, is refused")
    func twins() {
        let one = Self.rsa(#","kid":"a""#)
        for other in [
            one, Self.rsa(#","kid":"\u0061""#), #"{"kty":"EC","crv":"P-256","kid":"a",\#(Self.p256)}"#,
        ] { #expect(Self.isRefused(#"{"keys":[\#(one),\#(other)]}"#)) }
        #expect(!Self.isRefused(#"{"keys":[\#(one),\#(Self.rsa(#","kid":"A""#))]}"#), "kids differ by case")
    }

    @Test("a set with secrets and public keys is refused")
    func mixed() {
        let secret = Self.secret(32, #","kid":"s""#)
        for key in [
            Self.rsa(), #"{"kty":"EC","crv":"P-256",\#(Self.p256)}"#,
            #"{"kty":"OKP","crv":"Ed25519",\#(Self.ed25519)}"#,
        ] {
            #expect(
                Self.isRefused(#"{"keys":[\#(secret),\#(key)]}"#) && Self.isRefused(#"{"keys":[\#(key),\#(secret)]}"#))
        }
    }

    @Test("one bad key at any position refuses the set")
    func poisoned() {
        let good = #"{"kty":"EC","crv":"P-256",\#(Self.p256)}"#
        for bad in [
            "1", "null", "[]", "{}", Self.rsa(#","use":"enc""#), Self.secret(3), Self.rsa(n: Self.shortModuli[0]),
        ] {
            for keys in ["\(bad),\(good)", "\(good),\(bad)", "\(good),\(bad),\(good)"] {
                #expect(Self.isRefused(#"{"keys":[\#(keys)]}"#))
            }
        }
    }

    @Test("a set of a hundred keys is accepted, a larger one is not")
    func count() throws {
        let key = #"{"kty":"EC","crv":"P-256",\#(Self.p256)}"#
        func set(_ count: Int) -> String {
            #"{"keys":[\#([String](repeating: key, count: count).joined(separator: ","))]}"#
        }
        #expect(try Self.read(set(100)).get().keys.count == 100)
        #expect(Self.isRefused(set(101)) && Self.isRefused(set(0)))
    }

    @Test(
        "error pages and other documents in place of a key set are refused",
        arguments: [
            "", " ", "null", "true", "0", "\"\"", "[]", "[{}]", "{}", "<html><body>502 Bad Gateway</body></html>",
            "{\"keys\":[]}",
            "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]", "{\"error\":\"x\"}", "{\"keys\":[{}]}",
            "\u{FEFF}{\"keys\":[{}]}",
        ])
    func outage(_ text: String) {
        #expect(Self.isRefused(text))
    }

    @Test("duplicate names, invalid UTF-8 and deep nesting are refused in key sets too")
    func strictness() {
        let key = Self.rsa(#","kid":"a","kid":"b""#)
        let escaped = Self.rsa(#","kid":"a","\u006bid":"b""#)
        let deep = Self.rsa(#","x":"# + String(repeating: "[", count: 100) + String(repeating: "]", count: 100))
        for text in [key, escaped, deep, #"{"keys":[\#(Self.rsa())],"keys":[\#(Self.rsa())]}"#, Self.rsa() + "x"] {
            #expect(Self.isRefused(text))
        }
        #expect(throws: KeySet.Refusal.self) { try KeySet(parsing: Array(Self.rsa().utf8) + [0xFF]) }
    }

    @Test("a kid is the key's thumbprint (RFC 7638), cut to 128 bits; RFC 8037 A.3 gives the value for its key")
    func thumbprint() throws {
        let key = try SigningKey(algorithm: "Ed25519", serialized: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        #expect(try key.publicJWK()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        let whole = try #require(Base64URL.decode("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"))
        #expect(key.id == Base64URL.encode(whole.prefix(16)))
        for algorithm in SignatureAlgorithm.signing {
            let key = try SigningKey.generate(algorithm)
            let jwk = try key.publicJWK()
            let names = ["crv", "e", "kty", "n", "x", "y"].filter { jwk[$0] != nil }
            let text = "{" + names.map { "\"\($0)\":\"\(jwk[$0]?.stringValue ?? "")\"" }.joined(separator: ",") + "}"
            #expect(key.id == Base64URL.encode(Array(SHA256.hash(data: Array(text.utf8))).prefix(16)))
        }
    }

    @Test("a published key has no private member", arguments: SignatureAlgorithm.signing)
    func publicOnly(_ algorithm: SignatureAlgorithm) throws {
        let jwk = try SigningKey.generate(algorithm).publicJWK()
        #expect(Set(jwk.members.map(\.name)).isSubset(of: ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"]))
    }
}
