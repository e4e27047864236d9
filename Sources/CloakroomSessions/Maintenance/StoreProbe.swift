package import CloakroomCore
package import CloakroomStores
package import Logging

/// Whether a load balancer should send requests: while the store takes writes, and the server is not about to stop.
///
/// Checks the store at most once a second however many probes arrive: each check is a write that waits for the disk.
package actor StoreProbe {
    private let store: any SessionStore
    private let environment: Environment
    private let logger: Logger
    private var last: (isReady: Bool, uptime: Duration)?
    /// The check that is in progress, and the uptime when it began.
    private var look: (task: Task<Bool, Never>, uptime: Duration)?
    /// How long a probe waits for the check before it answers false. Load balancers give up after a few seconds, so a
    /// disk that hangs must count as not ready.
    private let patience: Duration
    static let period = Duration.seconds(1)
    private var isStopping = false

    package init(
        store: any SessionStore, environment: Environment, logger: Logger, patience: Duration = .seconds(2)
    ) {
        self.store = store
        self.environment = environment
        self.logger = logger
        self.patience = patience
    }

    /// From now on the server is not ready.
    package func stop() {
        isStopping = true
    }

    package func isReady() async -> Bool {
        guard !isStopping else { return false }
        if let last, look == nil, environment.uptime() < last.uptime + Self.period { return last.isReady }
        let task = look?.task ?? begin()
        let isReady = await task.value(within: patience) ?? false
        return isReady && !isStopping
    }

    private func begin() -> Task<Bool, Never> {
        let uptime = environment.uptime()
        let task = Task {
            do {
                try await store.ping()
                return finish(true, nil)
            } catch {
                return finish(false, "\(error)")
            }
        }
        look = (task, uptime)
        return task
    }

    private func finish(_ isReady: Bool, _ problem: String?) -> Bool {
        let wasReady = last?.isReady ?? true
        last = (isReady, environment.uptime())
        look = nil
        if isReady, !wasReady { logger.notice("the store takes writes again") }
        if !isReady, wasReady {
            logger.error("the store takes no writes", metadata: ["error": "\(problem ?? "")"])
        }
        return isReady
    }
}
