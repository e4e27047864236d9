package import CloakroomCore
package import CloakroomStores
import Metrics

/// Keeps the gauges that need the store: how many sessions there are.
package struct StoreGauges: Sendable {
    private let store: any SessionStore
    private let policy: SessionPolicy
    private let environment: Environment
    private let sessions = Gauge(label: "cloakroom_sessions")
    /// A count of a million rows takes tens of milliseconds of one reader.
    static let period = Duration.seconds(30)

    package init(store: any SessionStore, policy: SessionPolicy, environment: Environment) {
        self.store = store
        self.policy = policy
        self.environment = environment
    }

    /// Counts until the task is cancelled. A count that fails leaves the last one.
    package func run() async {
        repeat {
            if let count = try? await store.liveSessions(at: environment.now(), under: policy) {
                sessions.record(count)
            }
        } while (try? await Task.sleep(for: Self.period)) != nil
    }
}
