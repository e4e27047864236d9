import CloakroomCore
import Testing

@testable import CloakroomTokens

/// The examples of the RFCs and Wycheproof's, beyond whether their signatures verify.
@Suite struct JOSEExampleTests {
    private func example(_ source: String) throws -> JSONObject {
        let examples = try Vectors.read("jose-rfc-examples")["examples"]?.arrayValue?.compactMap(\.objectValue) ?? []
        return try #require(examples.first { $0["source"]?.stringValue?.hasPrefix(source) == true })
    }

    private func token(_ example: JSONObject) throws -> [UInt8] {
        Array(try #require(example["jws"]?.stringValue).utf8)
    }

    private func keys(_ example: JSONObject) throws -> KeySet {
        try KeySet(parsing: JSONValue.object(try #require(example["jwk"]?.objectValue)).serialized)
    }

    @Test("RFC 7515 A.1 and A.3 verify with the printed payload", arguments: ["RFC 7515 A.1", "RFC 7515 A.3"])
    func claims(_ source: String) throws {
        let example = try example(source)
        let jws = try VerifiedJWS.verify(try token(example), with: keys(example))
        #expect(try jws.claims() == ["iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true])
        #expect(jws.type == (source.hasSuffix("A.1") ? "JWT" : nil) && jws.keyID == nil)
    }

    @Test(
        "as access tokens the examples are refused: they have expired and are of another type",
        arguments: ["RFC 7515 A.1", "RFC 7515 A.3"])
    func refused(_ source: String) throws {
        let example = try example(source)
        let foreign = TokenInspection(issuer: "joe", audience: nil, type: nil)
        #expect(fault { try foreign.claims(of: token(example), with: keys(example), at: TokenWorld.now) } == .expired)
        let access = TokenInspection(issuer: "joe", audience: nil, type: "at+jwt")
        #expect(fault { try access.claims(of: token(example), with: keys(example), at: TokenWorld.now) } == .wrongType)
    }

    @Test("RFC 8037 A.4 has a valid signature, and is refused because its payload is not JSON")
    func edwards() throws {
        let example = try example("RFC 8037")
        let jws = try VerifiedJWS.verify(try token(example), with: keys(example))
        #expect(String(decoding: jws.payload, as: UTF8.self) == "Example of Ed25519 signing")
        #expect(throws: TokenFault.self) { try jws.claims() }
    }

    @Test("RFC 7519 6.1, the unsecured token, is refused with every kind of key and without a key")
    func unsecured() throws {
        let token = try token(example("RFC 7519 6.1"))
        for algorithm in Forge.algorithms {
            for kid in [nil, Forge.kid] {
                #expect(throws: TokenFault.self) {
                    try VerifiedJWS.verify(token, with: Forge(algorithm, kid: kid).keys)
                }
            }
        }
        #expect(fault { try VerifiedJWS.verify(token, with: KeySet([])) } == .unknownKey)
        #expect(fault { try VerifiedJWS.verify(token, with: Forge(.es256, kid: nil).keys) } == .wrongAlgorithm)
    }

    @Test("each example is refused with the key of any other, and with any one bit changed")
    func crossed() throws {
        let examples = try ["RFC 7515 A.1", "RFC 7515 A.3", "RFC 8037"].map { try example($0) }
        for (index, example) in examples.enumerated() {
            for (other, holder) in examples.enumerated() where index != other {
                #expect(fault { try VerifiedJWS.verify(token(example), with: keys(holder)) } == .wrongAlgorithm)
            }
            let genuine = try token(example)
            let own = try keys(example)
            for bit in 0..<(genuine.count * 8) {
                var mutant = genuine
                mutant[bit / 8] ^= 1 << UInt8(bit % 8)
                if (try? VerifiedJWS.verify(mutant, with: own)) != nil {
                    Issue.record("\(example["source"] ?? .null), bit \(bit)")
                }
            }
        }
    }

    @Test("all 83 of Wycheproof's mixed cases: signed ones agree, encrypted and JSON ones are refused")
    func mix() throws {
        let groups = try Vectors.read("json_web_crypto_test")["testGroups"]?.arrayValue?.compactMap(\.objectValue) ?? []
        var seen = ["jws": 0, "jwe": 0]
        for group in groups {
            let jwk = group["public"] ?? group["private"] ?? .null
            for test in group["tests"]?.arrayValue?.compactMap(\.objectValue) ?? [] {
                let name = test["jws"] == nil ? "jwe" : "jws"
                let token = try #require(test[name])
                seen[name, default: 0] += 1
                // Two tokens, tcId 17 and 66, are in JSON serialisation: they are handed over as that text.
                let text = token.stringValue.map { Array($0.utf8) } ?? token.serialized
                let isAccepted = (try? VerifiedJWS.verify(text, with: KeySet(parsing: jwk.serialized))) != nil
                #expect(isAccepted == (name == "jws" && test["result"] == "valid"), "tcId \(test["tcId"] ?? .null)")
            }
        }
        #expect(seen == ["jws": 49, "jwe": 34])
    }
}
