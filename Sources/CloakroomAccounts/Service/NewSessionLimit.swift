import CloakroomCore
import Synchronization

/// Limits the new sessions of each subject per minute: a backend limits wrong passwords by itself, but a loop in it must
/// not fill the store.
final class NewSessionLimit: Sendable {
    static let perMinute = 20
    private static let minute = Duration.seconds(60)
    /// Backends are trusted, so the number of subjects within a minute is not limited; old entries are dropped beyond this.
    private static let subjects = 65536

    private let begun = Mutex<[Subject: [Duration]]>([:])

    /// Counts one session.
    /// - Parameter uptime: the time of a monotonic clock.
    /// - Throws: `Denial.rateLimited` with the time until the oldest session of the minute no longer counts.
    func take(_ subject: Subject, at uptime: Duration) throws(Denial) {
        let wait = begun.withLock { begun -> Duration? in
            if begun.count > Self.subjects {
                begun = begun.filter { $0.value.last.map { uptime - $0 < Self.minute } ?? false }
            }
            var recent = (begun[subject] ?? []).filter { uptime - $0 < Self.minute }
            defer { begun[subject] = recent }
            if recent.count >= Self.perMinute { return recent[0] + Self.minute - uptime }
            recent.append(uptime)
            return nil
        }
        guard let wait else { return }
        throw .rateLimited(retryAfter: .seconds(wait.components.seconds + 1))
    }
}
