import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

@Suite struct IssuerKeysTests {
    private let now = TokenWorld.now
    private let lifetime = Span.minutes(5)

    private func issuerKeys(_ starts: Instant...) throws -> IssuerKeys {
        try IssuerKeys(
            signing: starts.map { .init(key: try SigningKey.generate(.es256), createdAt: now, signsFrom: $0) },
            refresh: [.init(key: TokenWorld.refreshKey("r1", 1), createdAt: now)])
    }

    @Test("a new key is published before it signs, and an old one verifies until its last token has expired")
    func stages() throws {
        let change = now + .minutes(10)
        let keys = try issuerKeys(now, change)
        func stages(_ time: Instant) -> [VerifierKeys.Stage?] {
            keys.signing.map { keys.verifierKeys.stage(of: $0.key.id, at: time, lifetime: lifetime) }
        }
        #expect(stages(now) == [.signing, .published])
        #expect(stages(change - Span(milliseconds: 1)) == [.signing, .published])
        #expect(stages(change) == [.verifying, .signing])
        #expect(stages(change + lifetime) == [.verifying, .signing])
        #expect(stages(change + .minutes(6)) == [.retired, .signing])
    }

    @Test("the key set has the keys that sign, will sign or still have valid tokens, and no secret")
    func keySet() throws {
        let change = now + .minutes(10)
        let keys = try issuerKeys(now, change)
        func ids(_ time: Instant) throws -> [String?] {
            try keys.publicKeySet(at: time, lifetime: lifetime).objectValue?["keys"]?.arrayValue?.map {
                $0.objectValue?["kid"]?.stringValue
            } ?? []
        }
        let all = keys.signing.map(\.key.id)
        #expect(try ids(now) == all)
        #expect(try ids(change + .minutes(1)) == all)
        #expect(try ids(change + .minutes(6)) == [all[1]])
    }

    @Test("a retired key still distinguishes an expired token from a forged one")
    func retired() throws {
        let keys = try issuerKeys(now, now + .minutes(10))
        #expect(keys.verifierKeys.keySet.keys.count == 2)
        #expect(
            keys.signingKey(at: now - .days(1)).id == keys.signing[0].key.id,
            "before the first key's time it signs all the same")
    }

    @Test("a fresh token under a retired key is refused: a stolen old key forges nothing")
    func stolenRetiredKey() throws {
        let world = try TokenWorld()
        let claims = try world.claims()
        let keys = try issuerKeys(now - .days(60), now - .days(30))
        world.replaceKeys(with: keys)
        let forged = try keys.signing[0].key.sign(claims, type: "at+jwt")
        #expect(fault { try world.verifier.verify(bearer: forged, at: now) } == .unknownKey)
        #expect(fault { try world.verifier.verify(bearer: forged, at: now + .minutes(6)) } == .expired)
        let genuine = try keys.signing[1].key.sign(claims, type: "at+jwt")
        #expect(fault { try world.verifier.verify(bearer: genuine, at: now) } == nil)
    }

    @Test("no kid can be parsed as an option of a command")
    func names() throws {
        for _ in 0..<400 { #expect(try !SigningKey.generate(.ed25519).id.hasPrefix("-")) }
    }

    @Test("an issuer needs a signing key and a refresh secret")
    func empty() {
        #expect(throws: IssuerKeys.Refusal.self) { try IssuerKeys(signing: [], refresh: []) }
    }

    @Test("replacing the keys empties the cache of what the old keys verified")
    func exchange() throws {
        let world = try TokenWorld()
        let token = try world.access().token.bytes
        let cookie = try world.cookie()
        _ = try world.verifier.verify(bearer: token, at: now)
        _ = try world.verifier.verify(cookie: cookie, at: now)
        world.replaceKeys(with: try TokenWorld.issuerKeys(.es256))
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .unknownKey)
        #expect(fault { try world.verifier.verify(cookie: cookie, at: now) } == .unknownKey)
    }
}

@Suite struct VerifiedTokenCacheTests {
    @Test("a full cache evicts entries and does not grow")
    func bounded() {
        let cache = VerifiedTokenCache<Int>(capacity: 64, shards: 4)
        let keys = (0..<10_000).map { SHA256.hash(data: withUnsafeBytes(of: $0) { Array($0) }) }
        for (value, key) in keys.enumerated() { cache.store(value, for: key) }
        #expect(keys.filter { cache.value(for: $0) != nil }.count <= 64)
        #expect(cache.value(for: keys[9_999]) == 9_999)
        cache.removeAll()
        #expect(cache.value(for: keys[9_999]) == nil)
    }
}
