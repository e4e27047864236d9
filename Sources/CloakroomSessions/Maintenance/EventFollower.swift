package import CloakroomStores
package import Logging

/// Logs and counts the events that the command line has recorded, as if this process had recorded them.
package struct EventFollower: Sendable {
    private let store: any SessionStore
    private let log: SecurityLog
    private let logger: Logger
    static let period = Duration.milliseconds(500)
    /// The number of events in one transaction: small, so that no renewal waits behind the events of thousands of
    /// revoked sessions.
    static let batch = 200

    package init(store: any SessionStore, log: SecurityLog, logger: Logger) {
        self.store = store
        self.log = log
        self.logger = logger
    }

    /// Polls the store twice a second until the task is cancelled.
    package func run() async {
        repeat {
            do { try await catchUp() } catch is CancellationError { return } catch {
                logger.debug("events of other processes could not be read", metadata: ["error": "\(error)"])
            }
        } while (try? await Task.sleep(for: Self.period)) != nil
    }

    package func catchUp() async throws {
        while true {
            let events = try await store.takeUnannouncedEvents(limit: Self.batch)
            log.write(events)
            if events.count < Self.batch { return }
        }
    }
}
