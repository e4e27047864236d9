package import CloakroomCore
package import CloakroomTokens

/// Signs the status lists of this server, for verifiers that poll.
///
/// A request for a list makes it, at most once in each quarter of `ttl`. All lists of that time come from one walk through
/// the view of revocations, on a thread of the pool; the store is not asked.
package actor StatusLists {
    private let service: StatusListService
    private let view: RevocationView
    private let keys: LiveKeys<IssuerKeys>
    private let environment: Environment
    private let catchUp: @Sendable () async throws -> Void
    private(set) var snapshot: Snapshot?

    struct Snapshot {
        let takenAt: Duration
        /// All revocations that were committed before this time are in it.
        let time: Instant
        let indexes: [StatusListID: [UInt16]]
        let key: SigningKey
        var signed: [StatusListID: [UInt8]] = [:]
    }

    /// The number of signed lists that stay in memory. Requests for invented names must not fill it.
    private static let capacity = 4096

    /// - Parameter catchUp: reads the feed of revocations into `view`.
    package init(
        _ service: StatusListService, view: RevocationView, keys: LiveKeys<IssuerKeys>, environment: Environment,
        catchUp: @escaping @Sendable () async throws -> Void
    ) {
        self.service = service
        self.view = view
        self.keys = keys
        self.environment = environment
        self.catchUp = catchUp
    }

    /// How long one snapshot is served, and how long a cache may keep a list.
    private var interval: Duration { .seconds(service.ttl) / 4 }

    /// The seconds for which an HTTP cache may keep a list. Shorter than a key stays published after its last use.
    package nonisolated var cacheLifetime: Int { min(service.ttl / 4, 30) }

    /// The token of a list. Every name is that of a list, if only one without a revoked session: the server does not know
    /// which names its instances have drawn.
    /// - Throws: `Denial.unavailable` if no proof of the last `ttl` seconds says that the view has every revocation.
    package func token(of list: StatusListID) async throws -> [UInt8] {
        let snapshot = try await current()
        if let signed = snapshot.signed[list] { return signed }
        let signed = try service.sign(
            list, invalid: snapshot.indexes[list] ?? [], at: snapshot.time, with: snapshot.key)
        if snapshot.signed.count < Self.capacity { self.snapshot?.signed[list] = signed }
        return signed
    }

    private func current() async throws -> Snapshot {
        if let snapshot, isFresh(snapshot) { return snapshot }
        // The feed is polled in the background, so this is rare. If the read fails, the age of the view decides.
        if age.map({ $0 >= interval }) ?? true { try? await catchUp() }
        // Another request may have made one while this one waited.
        if let snapshot, isFresh(snapshot) { return snapshot }
        return try take()
    }

    /// False for a list of a time to come, because the wall clock was set back since, and for one under a key that does not
    /// sign any more: verifiers may not find it.
    private func isFresh(_ snapshot: Snapshot) -> Bool {
        let now = environment.now()
        return environment.uptime() < snapshot.takenAt + interval && snapshot.time <= now
            && snapshot.key.id == keys.current.signingKey(at: now).id
    }

    private func take() throws -> Snapshot {
        // Before the walk: what is committed later may be missing.
        let (uptime, now) = (environment.uptime(), environment.now())
        guard let age = view.age(at: uptime, now), age < .seconds(service.ttl), let proven = view.provenTime else {
            throw Denial.unavailable(retryAfter: .seconds(1))
        }
        let span = Span(milliseconds: Int64((age / .milliseconds(1)).rounded(.up)))
        // The time of the proof itself bounds it: while the machine was suspended, the monotonic clock stood still and the
        // age did not grow.
        let taken = Snapshot(
            takenAt: uptime, time: min(now - span, proven), indexes: view.byStatusList(),
            key: keys.current.signingKey(at: now))
        snapshot = taken
        return taken
    }

    private var age: Duration? { view.age(at: environment.uptime(), environment.now()) }
}
