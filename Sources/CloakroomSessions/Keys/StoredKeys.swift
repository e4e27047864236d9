package import CloakroomCore
import CloakroomFiles
package import CloakroomStores
package import CloakroomTokens
package import Logging

/// The issuer's keys in a store that many instances share, sealed under the master secret of the operator.
///
/// No instance leads. An instance that rotates adds a row for the next period; the first takes it, and all use its key, at
/// the same time by the clock that they share.
package actor StoredKeys: KeySource {
    package nonisolated let publishesRefreshSecrets = true
    private let store: any KeyStore
    private let secrets: @Sendable () throws -> MasterSecrets
    private let environment: Environment
    private let logger: Logger
    /// What the store had when it was last read. What it loses of that is put back.
    private var ring: KeyRing?

    /// - Parameter secrets: reads the master secrets. Called when the rows have changed, so that another file of secrets
    ///   needs no restart.
    package init(
        _ store: any KeyStore, environment: Environment = .system, logger: Logger = Logger(label: "cloakroom"),
        secrets: @escaping @Sendable () throws -> MasterSecrets
    ) {
        self.store = store
        self.environment = environment
        self.logger = logger
        self.secrets = secrets
    }

    /// Returns the keys for a server that starts, and creates them at the first start.
    /// - Parameter algorithm: as for `KeyFiles.open`.
    package func open(_ algorithm: SignatureAlgorithm?, under policy: SessionPolicy) async throws -> IssuerKeys {
        if let keys = try await read(), keys.isServing(algorithm, longestSession: policy.absoluteLifetime) {
            return keys
        }
        let environment = environment
        return try await update { try .starting(with: $0, algorithm, under: policy, in: environment) }
    }

    /// Reads the keys; nil when there are none.
    package func read() async throws -> IssuerKeys? {
        try await load().keys
    }

    package func read(since revision: KeyRevision?) async throws -> KeyReading {
        let ring = try await load()
        guard let keys = ring.keys else { return .absent }
        return ring.revision == revision ? .unchanged : .read(keys, ring.revision)
    }

    /// The number of attempts of a change. Each one after the first means that another instance has changed the keys in
    /// between.
    private static let attempts = 8

    package func update(_ change: @Sendable (IssuerKeys?) throws -> IssuerKeys) async throws -> IssuerKeys {
        for _ in 0..<Self.attempts {
            let ring = try await load()
            let step = try ring.change(to: change(ring.keys), sealing: secrets().first)
            if !step.isEmpty { try await store.change(step) }
            let saved = try await load()
            if saved.settles(step), let keys = saved.keys { return keys }
        }
        throw UnusableData(.busy, "other instances are changing the keys; try again")
    }

    /// Seals the keys again that are not sealed under the first of the master secrets.
    /// - Returns: their number.
    package func reseal() async throws -> Int {
        let resealed = try await load().resealing(under: secrets().first)
        var change = KeyTableChange()
        change.resealed = resealed
        if !resealed.isEmpty { try await store.change(change) }
        return resealed.count
    }

    /// Reads the rows, opens them if they have changed, and puts back what the store has lost.
    private func load() async throws -> KeyRing {
        // The rows before the read: a row that another task adds meanwhile is not lost.
        let before = ring
        var rows = try await store.keyRows()
        if let repair = try before?.repair(of: rows, sealing: { try secrets().first }) {
            try await store.change(repair)
            logger.warning(
                "the store had lost keys, which were put back",
                metadata: ["count": "\(repair.added.count + repair.removed.count)"])
            rows = try await store.keyRows()
        }
        if let before, before.rows == rows { return before }
        let loaded = try KeyRing(rows, with: secrets())
        ring = loaded
        return loaded
    }
}
