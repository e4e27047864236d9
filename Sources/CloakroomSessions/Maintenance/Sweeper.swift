package import CloakroomCore
package import CloakroomStores
package import Logging

/// Deletes rows that nothing can need any more, a few at a time so that no request waits behind it.
package struct Sweeper: Sendable {
    private let store: any SessionStore
    private let policy: SessionPolicy
    private let environment: Environment
    private let logger: Logger
    /// So few rows at a time that a renewal that comes meanwhile waits for a few milliseconds.
    static let batch = 100
    /// What a batch leaves to the others.
    private static let pause = Duration.milliseconds(10)

    package init(store: any SessionStore, policy: SessionPolicy, environment: Environment, logger: Logger) {
        self.store = store
        self.policy = policy
        self.environment = environment
        self.logger = logger
    }

    /// Sweeps every minute until the task is cancelled.
    package func run() async {
        repeat {
            do { try await sweep() } catch is CancellationError { return } catch {
                logger.warning("sweeping failed", metadata: ["error": "\(error)"])
            }
        } while (try? await Task.sleep(for: .seconds(60))) != nil
    }

    /// Sweeps until nothing is left to delete.
    package func sweep() async throws {
        while try await store.sweep(at: environment.now(), under: policy, limit: Self.batch) >= Self.batch {
            try await Task.sleep(for: Self.pause)
        }
    }
}
