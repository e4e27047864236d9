package import Crypto
import Synchronization

/// Caches verified tokens, so that a signature is checked once and not on every request.
///
/// Keyed by the SHA-256 of the presented bytes. Entries hold only facts that cannot change: expiry, revocation and
/// origin are checked again on every cache hit. Bounded: when a shard's younger half is full, the older half is
/// dropped, so an attacker's flood costs speed, never memory, and entries in use stay.
package final class VerifiedTokenCache<Value: Sendable>: Sendable {
    /// A digest, compared whole. Half of it is hashed, because a digest is random already. A comparison that stops at
    /// the first difference can show bits of a digest, from which no token can be computed.
    private struct Key: Hashable {
        let words: (UInt64, UInt64, UInt64, UInt64)

        init(_ digest: SHA256Digest) {
            words = digest.withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self) }
        }

        static func == (one: Self, other: Self) -> Bool {
            one.words == other.words
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(words.0)
            hasher.combine(words.1)
        }
    }

    private struct Generations {
        var young: [Key: Value] = [:]
        var old: [Key: Value] = [:]
    }

    private final class Shard: Sendable {
        let generations = Mutex(Generations())
    }

    private let shards: [Shard]
    private let epoch = Atomic<Int>(0)
    /// The capacity of a shard.
    private let capacity: Int

    package init(capacity: Int = 32768, shards count: Int = 16) {
        shards = (0..<count).map { _ in Shard() }
        self.capacity = max(1, capacity / count)
    }

    package func value(for key: SHA256Digest) -> Value? {
        let key = Key(key)
        return shard(key).generations.withLock { generations in
            if let value = generations.young[key] { return value }
            guard let value = generations.old.removeValue(forKey: key) else { return nil }
            insert(value, for: key, into: &generations)
            return value
        }
    }

    /// A verification reads it before it looks at the keys, and passes it to `store` with the result.
    package var currentEpoch: Int {
        epoch.load(ordering: .sequentiallyConsistent)
    }

    /// Adds an entry, unless its verification started before the last `removeAll`: it may have used removed keys.
    package func store(_ value: Value, for key: SHA256Digest, since began: Int = 0) {
        let key = Key(key)
        shard(key).generations.withLock { generations in
            guard began == currentEpoch else { return }
            insert(value, for: key, into: &generations)
        }
    }

    package func removeAll() {
        epoch.add(1, ordering: .sequentiallyConsistent)
        for shard in shards { shard.generations.withLock { $0 = Generations() } }
    }

    private func insert(_ value: Value, for key: Key, into generations: inout Generations) {
        if generations.young.count >= max(1, capacity / 2), generations.young[key] == nil {
            swap(&generations.young, &generations.old)
            generations.young.removeAll(keepingCapacity: true)
            if capacity < 2 { generations.old.removeAll() }
        }
        generations.young[key] = value
    }

    private func shard(_ key: Key) -> Shard {
        shards[Int(truncatingIfNeeded: key.words.0.littleEndian & 0xFF) % shards.count]
    }
}
