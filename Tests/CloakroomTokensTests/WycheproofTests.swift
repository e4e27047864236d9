import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct WycheproofTests {
    private func accepts(_ test: Vectors.Case) -> Bool {
        guard let keys = try? KeySet(parsing: JSONValue.object(test.jwk).serialized) else { return false }
        return (try? VerifiedJWS.verify(test.token, with: keys)) != nil
    }

    /// The valid cases that we refuse, each with its reason.
    private static let refusedAlthoughValid: [Int64: String] = [
        346: "the key is bound to PS256, the token says PS384 (RFC 8725bis section 3.1: one algorithm per key)",
        350: "the key is bound to PS256, the token says PS384",
        347: "the key's alg is ES521, which no registry knows",
        351: "the key's alg is ES521, which no registry knows",
        372: "a character outside the alphabet stands in the header's base64url (RFC 8725bis section 3.14)",
        373: "a character outside the alphabet stands in the payload's base64url",
    ]

    /// Called invalid ("invalid base64 padding"), but byte for byte the token and key of case 357, which is called valid:
    /// the padding that was to be refused is not in the file.
    private static let contradictsItself: Set<Int64> = [367, 370]

    @Test("all 401 cases of JSON Web Signature: none wrongly accepted, and each difference has a stated reason")
    func signatures() throws {
        let cases = try Vectors.wycheproof("json_web_signature_test")
        #expect(cases.count == 401)
        let twin = try #require(cases.first { $0.id == 357 })
        let contradictory = cases.filter { Self.contradictsItself.contains($0.id) }
        #expect(twin.isValid && contradictory.allSatisfy { $0.token == twin.token && $0.jwk == twin.jwk })
        let accepted = Set(cases.filter { !$0.isValid && accepts($0) }.map(\.id))
        #expect(accepted == Self.contradictsItself)
        let refused = Set(cases.filter { $0.isValid && !accepts($0) }.map(\.id))
        #expect(refused == Set(Self.refusedAlthoughValid.keys))
    }

    @Test("all 26 cases of JSON Web Key agree")
    func keys() throws {
        let cases = try Vectors.wycheproof("json_web_key_test")
        #expect(cases.count == 26)
        for test in cases { #expect(accepts(test) == test.isValid, "tcId \(test.id)") }
    }

    @Test("the JWS cases among the JOSE mix agree")
    func mix() throws {
        let cases = try Vectors.wycheproof("json_web_crypto_test")
        #expect(cases.count >= 40)
        for test in cases { #expect(accepts(test) == test.isValid, "tcId \(test.id)") }
    }
}

@Suite struct RFCExampleTests {
    @Test("the signed examples of the RFCs verify, and the unsecured one does not")
    func examples() throws {
        let examples = try Vectors.read("jose-rfc-examples")["examples"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(examples.count >= 4)
        for example in examples {
            let token = Array(try #require(example["jws"]?.stringValue).utf8)
            if example["alg"] == "none" {
                let keys = try KeySet([VerificationKey(id: "k", secret: .init([UInt8](repeating: 1, count: 32)))])
                #expect(throws: TokenFault.self) { try VerifiedJWS.verify(token, with: keys) }
            } else {
                let jwk = try #require(example["jwk"]?.objectValue)
                let keys = try KeySet(parsing: JSONValue.object(jwk).serialized)
                #expect(try !VerifiedJWS.verify(token, with: keys).payload.isEmpty)
            }
        }
    }
}
