import CloakroomCore
import Synchronization

/// Limits the codes for other hosts that one session gets in a minute. Each costs an entry in the store, and then the row
/// of a session, an event and maybe the end of an older session.
final class HandOverLimit: Sendable {
    private struct Minute {
        var beganAt = Duration.zero
        var counts: [SessionID: Int] = [:]
    }

    private let minute = Mutex(Minute())
    /// More than the hosts of the setting, each opened in several tabs.
    static let perMinute = 60
    private static let length = Duration.seconds(60)

    /// - Parameter uptime: the time of a monotonic clock.
    /// - Throws: `Denial.rateLimited`.
    func take(_ session: SessionID, at uptime: Duration) throws(Denial) {
        let wait = minute.withLock { minute -> Duration? in
            if uptime - minute.beganAt >= Self.length { minute = Minute(beganAt: uptime) }
            let count = minute.counts[session, default: 0]
            guard count < Self.perMinute else { return minute.beganAt + Self.length - uptime }
            minute.counts[session] = count + 1
            return nil
        }
        if let wait { throw .rateLimited(retryAfter: .seconds(wait.components.seconds + 1)) }
    }
}
