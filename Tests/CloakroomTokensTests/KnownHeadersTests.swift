import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct KnownHeadersTests {
    @Test("a header is cached once a token with it has verified, and yields the same values")
    func known() throws {
        let world = try TokenWorld()
        let keys = world.keySet
        let token = try world.access().token.bytes
        let part = token.prefix { $0 != UInt8(ascii: ".") }
        #expect(keys.headers.header(part) == nil)
        let first = try VerifiedJWS.verify(token, with: keys)
        #expect(keys.headers.header(part)?.header.keyID == first.keyID)
        #expect(keys.headers.header(part)?.key.id == first.keyID)
        let second = try VerifiedJWS.verify(token, with: keys)
        #expect(first.keyID == second.keyID && first.type == second.type && first.payload == second.payload)
    }

    @Test("the header of a token that fails is not cached, and a cached header validates no forgery")
    func forged() throws {
        let world = try TokenWorld()
        let keys = world.keySet
        var forged = try world.access().token.bytes
        let part = forged.prefix { $0 != UInt8(ascii: ".") }
        let last = forged.count - 5
        forged[last] = forged[last] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        #expect(throws: TokenFault.badSignature) { try VerifiedJWS.verify(forged, with: keys) }
        #expect(keys.headers.header(part) == nil)
        _ = try VerifiedJWS.verify(try world.access().token.bytes, with: keys)
        #expect(throws: TokenFault.badSignature) { try VerifiedJWS.verify(forged, with: keys) }
    }

    @Test("the cache of headers is bounded")
    func bounded() throws {
        let headers = KnownHeaders()
        let key = VerificationKey(id: "k", secret: Secret([UInt8](repeating: 1, count: 32)))
        let part = ArraySlice(Base64URL.encode(Array(#"{"alg":"ES256"}"#.utf8)).utf8)
        let header = try JWSHeader(part)
        let parts = (0..<1000).map { ArraySlice("\($0)".utf8) }
        for part in parts { headers.remember(header, key, part) }
        #expect(1...64 ~= parts.count { headers.header($0) != nil })
    }
}
