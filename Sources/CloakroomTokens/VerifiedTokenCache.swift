import CloakroomCore
import Crypto
import Synchronization

/// Remembers what verified, so that a signature is checked once and not with every request.
///
/// Keyed by the SHA-256 of the whole cookie value or bearer token. Only what cannot change is kept: expiry, revocation
/// and origin are checked again on every hit. Bounded: a full shard is emptied, so an attacker's flood costs speed,
/// never memory.
final class VerifiedTokenCache<Value: Sendable>: Sendable {
    private struct Shard: ~Copyable, Sendable {
        let entries = Mutex<[SHA256Digest: Value]>([:])
    }

    private final class Box: Sendable {
        let shard = Shard()
    }

    private let shards: [Box]
    private let epoch = Atomic<Int>(0)
    private let shardCapacity: Int

    init(capacity: Int = 32768, shards count: Int = 16) {
        shards = (0..<count).map { _ in Box() }
        shardCapacity = max(1, capacity / count)
    }

    func value(for key: SHA256Digest) -> Value? {
        box(key).shard.entries.withLock { $0[key] }
    }

    /// What a verification is told before it looks at the keys, and hands back with what it has verified.
    var currentEpoch: Int {
        epoch.load(ordering: .sequentiallyConsistent)
    }

    /// Stores nothing that was begun before the last `removeAll`: it may have been verified with keys that are gone.
    func store(_ value: Value, for key: SHA256Digest, since began: Int = 0) {
        box(key).shard.entries.withLock { entries in
            guard began == currentEpoch else { return }
            if entries.count >= shardCapacity { entries.removeAll(keepingCapacity: true) }
            entries[key] = value
        }
    }

    func removeAll() {
        epoch.add(1, ordering: .sequentiallyConsistent)
        for box in shards { box.shard.entries.withLock { $0.removeAll() } }
    }

    private func box(_ key: SHA256Digest) -> Box {
        shards[key.withUnsafeBytes { Int($0[0]) } % shards.count]
    }
}
