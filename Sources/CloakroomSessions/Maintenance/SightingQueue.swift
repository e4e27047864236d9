package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens
package import Logging
import Synchronization

/// Takes note of the access tokens that come in, and tells the store in batches: nobody waits for it, and losing it
/// harms nothing.
///
/// A sighting confirms a pending generation, and counts as activity.
package final class SightingQueue: Sendable {
    private struct State {
        var waiting: [SessionID: Int] = [:]
        var reported: [SessionID: (generation: Int, at: Duration)] = [:]
    }

    private let state = Mutex(State())
    private let store: any SessionStore
    private let policy: SessionPolicy
    private let environment: Environment
    private let logger: Logger
    /// How often an unchanged generation is reported again, as activity.
    private let interval: Duration
    private static let maximumEntries = 65536
    static let period = Duration.milliseconds(50)

    package init(store: any SessionStore, policy: SessionPolicy, environment: Environment, logger: Logger) {
        self.store = store
        self.policy = policy
        self.environment = environment
        self.logger = logger
        interval = .milliseconds(policy.sightingInterval.milliseconds)
    }

    /// An access token of this session and generation was presented and verified.
    package func saw(_ access: VerifiedAccess) {
        let uptime = environment.uptime()
        state.withLock { state in
            if let last = state.reported[access.session], last.generation >= access.generation,
                uptime - last.at < interval
            {
                return
            }
            if state.reported.count >= Self.maximumEntries { state.reported.removeAll(keepingCapacity: true) }
            state.reported[access.session] = (access.generation, uptime)
            state.waiting[access.session] = max(state.waiting[access.session] ?? 0, access.generation)
        }
    }

    /// Writes out until the task is cancelled, and once more then.
    package func run() async {
        while (try? await Task.sleep(for: Self.period)) != nil { await flush() }
        // In a task of its own: in this one, which is cancelled, the store would refuse.
        await Task { await flush() }.value
    }

    package func flush() async {
        let sightings = state.withLock { state in
            defer { state.waiting.removeAll(keepingCapacity: true) }
            return state.waiting
        }
        guard !sightings.isEmpty else { return }
        // As of now: a straggler window that opened while the store was busy would be over before anybody knew.
        let now = environment.now()
        do {
            try await store.confirm(
                sightings.map { Sighting(session: $0, generation: $1, time: now) }, under: policy)
        } catch {
            logger.warning("sightings were not saved", metadata: ["error": "\(error)"])
        }
    }
}
