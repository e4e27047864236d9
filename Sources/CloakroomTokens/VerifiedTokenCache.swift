package import Crypto
import Synchronization

/// Remembers what verified, so that a signature is checked once and not with every request.
///
/// Keyed by the SHA-256 of what was presented. Only what cannot change is kept: expiry, revocation and origin are checked
/// again on every hit. Bounded: when a shard's younger half is full the older half is forgotten, so an attacker's flood
/// costs speed, never memory, and what is in use stays.
package final class VerifiedTokenCache<Value: Sendable>: Sendable {
    private struct Generations {
        var young: [SHA256Digest: Value] = [:]
        var old: [SHA256Digest: Value] = [:]
    }

    private final class Shard: Sendable {
        let generations = Mutex(Generations())
    }

    private let shards: [Shard]
    private let epoch = Atomic<Int>(0)
    /// Of a shard.
    private let capacity: Int

    package init(capacity: Int = 32768, shards count: Int = 16) {
        shards = (0..<count).map { _ in Shard() }
        self.capacity = max(1, capacity / count)
    }

    package func value(for key: SHA256Digest) -> Value? {
        shard(key).generations.withLock { generations in
            if let value = generations.young[key] { return value }
            guard let value = generations.old.removeValue(forKey: key) else { return nil }
            insert(value, for: key, into: &generations)
            return value
        }
    }

    /// What a verification is told before it looks at the keys, and hands back with what it has verified.
    package var currentEpoch: Int {
        epoch.load(ordering: .sequentiallyConsistent)
    }

    /// Stores nothing that was begun before the last `removeAll`: it may have been verified with keys that are gone.
    package func store(_ value: Value, for key: SHA256Digest, since began: Int = 0) {
        shard(key).generations.withLock { generations in
            guard began == currentEpoch else { return }
            insert(value, for: key, into: &generations)
        }
    }

    package func removeAll() {
        epoch.add(1, ordering: .sequentiallyConsistent)
        for shard in shards { shard.generations.withLock { $0 = Generations() } }
    }

    private func insert(_ value: Value, for key: SHA256Digest, into generations: inout Generations) {
        if generations.young.count >= max(1, capacity / 2), generations.young[key] == nil {
            swap(&generations.young, &generations.old)
            generations.young.removeAll(keepingCapacity: true)
            if capacity < 2 { generations.old.removeAll() }
        }
        generations.young[key] = value
    }

    private func shard(_ key: SHA256Digest) -> Shard {
        shards[key.withUnsafeBytes { Int($0[0]) } % shards.count]
    }
}
