import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct KnownHeadersTests {
    @Test("a header is known once a token with it has verified, and says the same again")
    func known() throws {
        let world = try TokenWorld()
        let keys = world.ring.current.accessKeys
        let token = try world.access().token.bytes
        let part = token.prefix { $0 != UInt8(ascii: ".") }
        #expect(keys.headers.header(part) == nil)
        let first = try VerifiedJWS.verify(token, with: keys)
        #expect(keys.headers.header(part)?.keyID == first.keyID)
        let second = try VerifiedJWS.verify(token, with: keys)
        #expect(first.keyID == second.keyID && first.type == second.type && first.payload == second.payload)
    }

    @Test("the header of a token that does not verify is not remembered, and a known one makes no forgery good")
    func forged() throws {
        let world = try TokenWorld()
        let keys = world.ring.current.accessKeys
        var forged = try world.access().token.bytes
        let part = forged.prefix { $0 != UInt8(ascii: ".") }
        forged[forged.count - 5] ^= 1
        #expect(throws: TokenFault.badSignature) { try VerifiedJWS.verify(forged, with: keys) }
        #expect(keys.headers.header(part) == nil)
        _ = try VerifiedJWS.verify(try world.access().token.bytes, with: keys)
        #expect(throws: TokenFault.badSignature) { try VerifiedJWS.verify(forged, with: keys) }
    }

    @Test("never more are known than fit")
    func bounded() throws {
        let headers = KnownHeaders()
        let part = ArraySlice(Base64URL.encode(Array(#"{"alg":"ES256"}"#.utf8)).utf8)
        let header = try JWSHeader(part)
        let parts = (0..<1000).map { ArraySlice("\($0)".utf8) }
        for part in parts { headers.remember(header, part) }
        #expect(1...64 ~= parts.count { headers.header($0) != nil })
    }
}
