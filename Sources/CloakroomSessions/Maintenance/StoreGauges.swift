package import CloakroomCore
package import CloakroomStores
import Metrics

/// Updates the gauge that needs a query of the store: the number of live sessions.
package struct StoreGauges: Sendable {
    private let store: any SessionStore
    private let policy: SessionPolicy
    private let environment: Environment
    private let sessions = Gauge(label: "cloakroom_sessions")
    /// The shortest pause between two counts.
    static let period = Duration.seconds(30)
    /// The pause is at least this many times as long as the count. A count of a million rows takes half a second of
    /// one processor: it gets one percent of the time at most.
    static let share = 100

    package init(store: any SessionStore, policy: SessionPolicy, environment: Environment) {
        self.store = store
        self.policy = policy
        self.environment = environment
    }

    /// Counts until the task is cancelled. A failed count leaves the last value.
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
