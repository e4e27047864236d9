import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

/// What is kept in memory for the sake of speed: never more than its bound, and never less than safety needs.
@Suite struct BoundedMemoryTests {
    private let now = TokenWorld.now

    private static func digest(_ number: Int) -> SHA256Digest {
        SHA256.hash(data: withUnsafeBytes(of: number.bigEndian) { Array($0) })
    }

    @Test(
        "a cache never holds more than its capacity, whatever its shape",
        arguments: [(16, 1), (64, 16), (100, 7), (4, 16), (1, 1)])
    func capacity(_ capacity: Int, _ shards: Int) {
        let cache = VerifiedTokenCache<Int>(capacity: capacity, shards: shards)
        for number in 0..<2000 {
            cache.store(number, for: Self.digest(number))
            #expect(cache.value(for: Self.digest(number)) == number, "what was stored last is there")
        }
        let kept = (0..<2000).filter { cache.value(for: Self.digest($0)) != nil }
        #expect(kept.count <= max(capacity, shards))
        for number in kept { #expect(cache.value(for: Self.digest(number)) == number, "and nobody else's value") }
    }

    @Test("a flood of one shard empties that shard alone")
    func flood() {
        let cache = VerifiedTokenCache<Int>(capacity: 64, shards: 16)
        let victim = (0...).lazy.map(Self.digest).first { $0.withUnsafeBytes { $0[0] % 16 } == 3 }
        let flood = (1...).lazy.map { Self.digest($0 + 1_000_000) }.filter { $0.withUnsafeBytes { $0[0] % 16 } != 3 }
        guard let victim else { return }
        cache.store(-1, for: victim)
        for digest in flood.prefix(5000) { cache.store(0, for: digest) }
        #expect(cache.value(for: victim) == -1)
    }

    @Test("threads that store, read and forget at once")
    func threads() async {
        let cache = VerifiedTokenCache<Int>(capacity: 128, shards: 4)
        let wrong = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<500).count { round in
                        let number = (worker * 7 + round) % 300
                        cache.store(number, for: Self.digest(number))
                        if round % 100 == 0 { cache.removeAll() }
                        return cache.value(for: Self.digest(number)).map { $0 != number } == true
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }

    @Test("a revoked session is remembered longer than any token of it can live")
    func remembered() throws {
        let world = try TokenWorld()
        let view = world.verifier.revocations
        // An instance whose clock is 30 seconds ahead signs a token at the moment of the revocation.
        let access = try world.access(at: now + .seconds(30))
        view.update([Revoked(session: access.session, time: now)])
        view.confirm(at: now)
        for second in stride(from: Int64(0), through: 330, by: 1) {
            let time = now + .seconds(second)
            view.confirm(at: time)
            guard (try? world.verifier.verify(bearer: access.token.bytes, at: time)) != nil else { continue }
            #expect(view.isRevoked(access.session), "second \(second)")
        }
        view.confirm(at: now + .seconds(380))
        #expect(view.count == 0)
    }

    @Test("memory follows the lifetime", arguments: [1, 60, 300, 3600])
    func memory(_ seconds: Int64) {
        let view = RevocationView(accessTokenLifetime: .seconds(seconds))
        view.insert(SessionID("a"), at: now)
        view.confirm(at: now + .seconds(seconds + 59))
        #expect(view.isRevoked(SessionID("a")))
        view.confirm(at: now + .seconds(seconds + 80))
        #expect(!view.isRevoked(SessionID("a")))
    }

    @Test("a revocation of this process counts before the feed brings it, and bringing it twice changes nothing")
    func insert() {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        view.insert(SessionID("a"), at: now)
        #expect(view.isRevoked(SessionID("a")) && view.isStale(at: now), "though the feed has said nothing yet")
        for _ in 0..<2 {
            view.update([Revoked(session: SessionID("a"), time: now)])
            view.confirm(at: now)
        }
        #expect(view.count == 1 && view.isRevoked(SessionID("a")))
    }

    @Test("a session is revoked by its exact name", arguments: ["A", "a ", "a\u{0}", "", "aa", "\u{430}"])
    func exactName(_ name: String) {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        view.insert(SessionID("a"), at: now)
        #expect(!view.isRevoked(SessionID(name)))
    }

    @Test("the last word of the feed may be five seconds old; an older word that comes late does not make it older")
    func staleness() {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        view.confirm(at: now)
        view.confirm(at: now - .seconds(60))
        #expect(!view.isStale(at: now + .seconds(5)) && view.isStale(at: now + Span(milliseconds: 5001)))
    }

    @Test("ten thousand revocations are forgotten again when their time is over")
    func prune() {
        let view = RevocationView(accessTokenLifetime: .seconds(10))
        for number in 0..<10_000 {
            let time = now + Span(milliseconds: Int64(number) * 100)
            view.update([Revoked(session: SessionID("s\(number)"), time: time)])
            view.confirm(at: time)
        }
        // 70 seconds of memory and 10 between two cleanings, at ten a second.
        #expect(view.count <= 801 && view.count >= 700)
    }
}
