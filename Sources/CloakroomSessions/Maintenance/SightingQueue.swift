package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens
package import Logging
import Synchronization

/// Queues the sessions and generations of presented access tokens, and writes them to the store in batches. No
/// request waits for the write, and a lost sighting does no harm.
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
    /// The shortest time between two reports of an unchanged generation, which count as activity.
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

    /// Queues a sighting of a verified access token, unless this generation was reported less than `interval` ago.
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

    /// Writes sightings every 50 ms until the task is cancelled, and once more then.
    package func run() async {
        while (try? await Task.sleep(for: Self.period)) != nil { await flush() }
        // In a new task: this one is cancelled, so the store would refuse to write.
        await Task { await flush() }.value
    }

    package func flush() async {
        let sightings = state.withLock { state in
            defer { state.waiting.removeAll(keepingCapacity: true) }
            return state.waiting
        }
        guard !sightings.isEmpty else { return }
        // The time of the write, not of the request: a straggler window that opened while the store was busy would
        // otherwise end before a client could use it.
        let now = environment.now()
        do {
            try await store.confirm(
                sightings.map { Sighting(session: $0, generation: $1, time: now) }, under: policy)
        } catch {
            logger.warning("sightings were not saved", metadata: ["error": "\(error)"])
        }
    }
}
