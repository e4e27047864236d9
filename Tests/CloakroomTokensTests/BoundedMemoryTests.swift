import Crypto
import Testing

@testable import CloakroomTokens

/// The caches never exceed their bounds, and never drop an entry that safety needs.
@Suite struct BoundedMemoryTests {
    private static func digest(_ number: Int) -> SHA256Digest {
        SHA256.hash(data: withUnsafeBytes(of: number.bigEndian) { Array($0) })
    }

    @Test(
        "a cache never has more entries than its capacity, with any number of shards",
        arguments: [(16, 1), (64, 16), (100, 7), (4, 16), (1, 1)])
    func capacity(_ capacity: Int, _ shards: Int) {
        let cache = VerifiedTokenCache<Int>(capacity: capacity, shards: shards)
        for number in 0..<2000 {
            cache.store(number, for: Self.digest(number))
            #expect(cache.value(for: Self.digest(number)) == number, "the latest entry is kept")
        }
        let kept = (0..<2000).filter { cache.value(for: Self.digest($0)) != nil }
        #expect(kept.count <= max(capacity, shards))
        for number in kept { #expect(cache.value(for: Self.digest(number)) == number, "the entry has its own value") }
    }

    @Test("a flood of entries in one shard evicts entries of this shard only")
    func flood() {
        let cache = VerifiedTokenCache<Int>(capacity: 64, shards: 16)
        let victim = (0...).lazy.map(Self.digest).first { $0.withUnsafeBytes { $0[0] % 16 } == 3 }
        let flood = (1...).lazy.map { Self.digest($0 + 1_000_000) }.filter { $0.withUnsafeBytes { $0[0] % 16 } != 3 }
        guard let victim else { return }
        cache.store(-1, for: victim)
        for digest in flood.prefix(5000) { cache.store(0, for: digest) }
        #expect(cache.value(for: victim) == -1)
    }

    @Test("threads store, read and remove entries concurrently")
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
}
