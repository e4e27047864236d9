import CloakroomCore
import Synchronization

/// Remembers when a use of each operation by each credential was last recorded. A backend that polls must not fill the
/// record of events that it polls.
final class ServiceUses: Sendable {
    private struct Use: Hashable {
        let operation: String
        let credential: CredentialID
    }

    private let recorded = Mutex<[Use: Duration]>([:])
    private static let interval = Duration.seconds(60)
    private static let capacity = 4096

    /// Whether a use must be recorded now; then it counts as recorded.
    /// - Parameter uptime: the time of a monotonic clock.
    func isDue(_ operation: String, _ credential: CredentialID, at uptime: Duration) -> Bool {
        let use = Use(operation: operation, credential: credential)
        return recorded.withLock { recorded in
            if let last = recorded[use], uptime - last < Self.interval { return false }
            if recorded.count >= Self.capacity { recorded.removeAll() }
            recorded[use] = uptime
            return true
        }
    }
}
