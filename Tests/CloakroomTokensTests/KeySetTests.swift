import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct KeySetTests {
    private static let point =
        #""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#

    private func read(_ text: String) -> Result<KeySet, KeySet.Refusal> {
        Result { () throws(KeySet.Refusal) in try KeySet(parsing: Array(text.utf8)) }
    }

    @Test("a key without alg is bound to its curve's one algorithm, an RSA key to RS256")
    func algorithms() throws {
        let ec = try read(#"{"kty":"EC","crv":"P-256",\#(Self.point)}"#).get()
        #expect(ec.keys.map(\.algorithm) == [.es256])
        let okp = try read(#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#).get()
        #expect(okp.keys.map(\.algorithm) == [.ed25519])
        let rsa = try SigningKey.generate(.rs256).publicJWK()
        var bare = rsa
        bare["alg"] = nil
        #expect(
            try read(String(decoding: JSONValue.object(bare).serialized, as: UTF8.self)).get().keys[0].algorithm
                == .rs256)
    }

    @Test(
        "one bad key refuses the set",
        arguments: [
            #"{"kty":"EC","crv":"P-256","use":"enc",POINT}"#, #"{"kty":"EC","crv":"P-256","key_ops":["sign"],POINT}"#,
            #"{"kty":"EC","crv":"P-256","alg":"ES384",POINT}"#, #"{"kty":"EC","crv":"P-384",POINT}"#,
            #"{"kty":"EC","crv":"secp256k1",POINT}"#, #"{"kty":"EC",POINT}"#, #"{"kty":"RSA",POINT}"#, #"{POINT}"#,
            #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, #"{"kty":"EC","crv":"P-256","x":"f83O","y":1}"#,
            #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
            #"{"kty":"EC","crv":"P-256","kid":7,POINT}"#, #"{"kty":"EC","crv":"P-256","kid":"",POINT}"#,
            #"{"kty":"oct","k":"AAAA"}"#, #"{"kty":"oct","k":"","alg":"HS256"}"#,
            #"{"kty":"oct","alg":"A128GCM","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#,
            #"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            #"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#, #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        ])
    func bad(_ key: String) {
        let key = key.replacing("POINT", with: Self.point)
        let good = #"{"kty":"EC","crv":"P-256","kid":"good",\#(Self.point)}"#
        #expect(throws: KeySet.Refusal.self) { try read(#"{"keys":[\#(good),\#(key)]}"#).get() }
        #expect(throws: KeySet.Refusal.self) { try read(key).get() }
    }

    @Test(
        "a document that is not a key set is refused",
        arguments: ["", "[]", "{}", #"{"keys":[]}"#, #"{"keys":{}}"#, #"{"keys":[1]}"#, "<html>", #"{"keys":null}"#])
    func documents(_ text: String) {
        #expect(throws: KeySet.Refusal.self) { try read(text).get() }
    }

    @Test("two keys of one kid are refused, as is a mix of secrets and public keys")
    func sets() {
        let ec = #"{"kty":"EC","crv":"P-256","kid":"a",\#(Self.point)}"#
        let secret = #"{"kty":"oct","kid":"b","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#
        #expect(read(#"{"keys":[\#(ec),\#(ec)]}"#).isFailure)
        #expect(read(#"{"keys":[\#(ec),\#(secret)]}"#).isFailure)
        #expect(!read(#"{"keys":[\#(secret)]}"#).isFailure)
    }

    @Test("a token without kid matches only a single key without kid")
    func lookUp() throws {
        let bare = try read(#"{"kty":"EC","crv":"P-256",\#(Self.point)}"#).get()
        #expect(bare.key(for: nil) != nil && bare.key(for: "a") == nil)
        let named = try read(#"{"kty":"EC","crv":"P-256","kid":"a",\#(Self.point)}"#).get()
        #expect(named.key(for: nil) == nil && named.key(for: "a") != nil)
    }

    @Test("the published key set has the form that other libraries expect")
    func published() throws {
        for algorithm in SignatureAlgorithm.signing {
            let key = try SigningKey.generate(algorithm)
            let jwk = try key.publicJWK()
            #expect(jwk["kid"] == .string(key.id) && jwk["use"] == "sig" && jwk["d"] == nil)
            #expect(jwk["alg"] == .string(algorithm.headerName))
            let set = try KeySet(parsing: JSONValue.object(["keys": [.object(jwk)]]).serialized)
            let token = try key.sign(["a": 1], type: "x")
            #expect(try VerifiedJWS.verify(token, with: set).claims() == ["a": 1])
            let again = try SigningKey(algorithm: algorithm.rawValue, serialized: key.serialized)
            #expect(again.id == key.id)
        }
    }

    @Test("an algorithm that does not sign access tokens cannot be used for a signing key")
    func signingKeys() {
        #expect(throws: SigningKey.Unreadable.self) { try SigningKey.generate(.hs256) }
        #expect(throws: SigningKey.Unreadable.self) { try SigningKey(algorithm: "PS256", serialized: "AAAA") }
        #expect(throws: SigningKey.Unreadable.self) { try SigningKey(algorithm: "none", serialized: "AAAA") }
        #expect(throws: (any Error).self) { try SigningKey(algorithm: "ES256", serialized: "AAAA") }
    }
}

extension Result {
    fileprivate var isFailure: Bool {
        if case .failure = self { true } else { false }
    }
}
