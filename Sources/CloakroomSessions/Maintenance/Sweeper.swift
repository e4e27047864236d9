package import CloakroomCore
package import CloakroomStores
package import Logging

/// Deletes rows that no request can need, in small batches so that no request waits behind them.
package struct Sweeper: Sendable {
    private let store: any SessionStore
    private let policy: SessionPolicy
    private let environment: Environment
    private let logger: Logger
    /// The number of rows in one transaction: a renewal that arrives meanwhile waits for a few milliseconds only.
    static let batch = 100
    /// The pause between two batches, in which other writes proceed.
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

    /// Deletes batches until no row is left to delete.
    package func sweep() async throws {
        while try await store.sweep(at: environment.now(), under: policy, limit: Self.batch) >= Self.batch {
            try await Task.sleep(for: Self.pause)
        }
    }
}
