package import CloakroomCore
package import CloakroomStores
import Metrics

/// Keeps the gauges that need the store: how many sessions there are.
package struct StoreGauges: Sendable {
    private let store: any SessionStore
    private let policy: SessionPolicy
    private let environment: Environment
    private let sessions = Gauge(label: "cloakroom_sessions")
    /// At least so long between two counts.
    static let period = Duration.seconds(30)
    /// A count of a million rows takes half a second of one processor: it gets one percent of the time at most.
    static let share = 100

    package init(store: any SessionStore, policy: SessionPolicy, environment: Environment) {
        self.store = store
        self.policy = policy
        self.environment = environment
    }

    /// Counts until the task is cancelled. A count that fails leaves the last one.
    package func run() async {
        var pause = Duration.zero
        while (try? await Task.sleep(for: pause)) != nil {
            let start = environment.uptime()
            if let count = try? await store.liveSessions(at: environment.now(), under: policy) {
                sessions.record(count)
            }
            pause = max(Self.period, (environment.uptime() - start) * Self.share)
        }
    }
}
