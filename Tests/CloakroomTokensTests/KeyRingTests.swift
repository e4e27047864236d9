import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

@Suite struct KeyRingTests {
    private let now = TokenWorld.now
    private let lifetime = Span.minutes(5)

    private func ring(_ starts: Instant...) throws -> KeyRing {
        try KeyRing(
            signing: starts.map { .init(key: try SigningKey.generate(.es256), createdAt: now, signsFrom: $0) },
            refresh: [.init(key: TokenWorld.refreshKey("r1", 1), createdAt: now)])
    }

    @Test("a new key is published before it signs, an old one verifies until the last token it signed is dead")
    func stages() throws {
        let change = now + .minutes(10)
        let ring = try ring(now, change)
        func stages(_ time: Instant) -> [KeyRing.Stage] {
            ring.signing.map { ring.stage(of: $0, at: time, lifetime: lifetime) }
        }
        #expect(stages(now) == [.signing, .published])
        #expect(stages(change - Span(milliseconds: 1)) == [.signing, .published])
        #expect(stages(change) == [.verifying, .signing])
        #expect(stages(change + lifetime) == [.verifying, .signing])
        #expect(stages(change + .minutes(6)) == [.retired, .signing])
    }

    @Test("the key set holds what signs, what will sign, and what still has tokens; never a secret")
    func keySet() throws {
        let change = now + .minutes(10)
        let ring = try ring(now, change)
        func ids(_ time: Instant) throws -> [String?] {
            try ring.publicKeySet(at: time, lifetime: lifetime).objectValue?["keys"]?.arrayValue?.map {
                $0.objectValue?["kid"]?.stringValue
            } ?? []
        }
        let all = ring.signing.map(\.key.id)
        #expect(try ids(now) == all)
        #expect(try ids(change + .minutes(1)) == all)
        #expect(try ids(change + .minutes(6)) == [all[1]])
    }

    @Test("a retired key still tells an expired token from a forged one")
    func retired() throws {
        let ring = try ring(now, now + .minutes(10))
        #expect(ring.accessKeys.keys.count == 2)
        #expect(
            ring.signingKey(at: now - .days(1)).id == ring.signing[0].key.id,
            "before the first key's time it signs all the same")
    }

    @Test("a retired key signs nothing that lives: whoever steals it has stolen nothing")
    func stolenRetiredKey() throws {
        let world = try TokenWorld()
        let claims = try world.claims()
        let ring = try ring(now - .days(60), now - .days(30))
        world.verifier.replaceKeys(with: ring)
        let forged = try ring.signing[0].key.sign(claims, type: "at+jwt")
        #expect(fault { try world.verifier.verify(bearer: forged, at: now) } == .unknownKey)
        #expect(fault { try world.verifier.verify(bearer: forged, at: now + .minutes(6)) } == .expired)
        let genuine = try ring.signing[1].key.sign(claims, type: "at+jwt")
        #expect(fault { try world.verifier.verify(bearer: genuine, at: now) } == nil)
    }

    @Test("no kid can be taken for an option of a command")
    func names() throws {
        for _ in 0..<400 { #expect(try !SigningKey.generate(.ed25519).id.hasPrefix("-")) }
    }

    @Test("a ring needs a key of each kind")
    func empty() {
        #expect(throws: KeyRing.Refusal.self) { try KeyRing(signing: [], refresh: []) }
    }

    @Test("exchanging the keys forgets what the old ones verified")
    func exchange() throws {
        let world = try TokenWorld()
        let token = try world.access().token.bytes
        let cookie = try world.cookie()
        _ = try world.verifier.verify(bearer: token, at: now)
        _ = try world.verifier.verify(cookie: cookie, at: now)
        world.verifier.replaceKeys(with: try TokenWorld.keyRing(.es256))
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .unknownKey)
        #expect(fault { try world.verifier.verify(cookie: cookie, at: now) } == .unknownKey)
    }
}

@Suite struct RevocationViewTests {
    private let now = TokenWorld.now

    @Test("what was revoked is remembered for as long as a token of it may live, and then forgotten")
    func memory() {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        view.update([Revoked(session: SessionID("a"), time: now)])
        view.confirm(at: now)
        #expect(view.isRevoked(SessionID("a")) && !view.isRevoked(SessionID("b")))
        view.update([])
        view.confirm(at: now + .minutes(5))
        #expect(view.isRevoked(SessionID("a")))
        view.update([])
        view.confirm(at: now + .minutes(7))
        #expect(view.count == 0)
    }

    @Test("a view that has heard nothing for too long says so")
    func stale() {
        let view = RevocationView(accessTokenLifetime: .minutes(5), staleAfter: .seconds(5))
        #expect(view.isStale(at: now))
        view.update([])
        view.confirm(at: now)
        #expect(!view.isStale(at: now + .seconds(5)))
        #expect(view.isStale(at: now + Span(milliseconds: 5001)))
    }
}

@Suite struct VerifiedTokenCacheTests {
    @Test("a full cache forgets, it does not grow")
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
