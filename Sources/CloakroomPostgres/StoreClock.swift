import CloakroomCore
import Foundation
import Logging
import Metrics
import Synchronization

/// The clock of the database, which all instances share. Between two reads of it the continuous clock of this machine
/// goes on.
///
/// Instances that decide by clocks of their own log honest users out: by a clock that is an hour ahead, the straggler
/// window of a renewal that another instance made a moment ago is over, and a late request is a reuse.
final class StoreClock: Sendable {
    /// The time of the database, in milliseconds, when `uptime` was 0.
    private let offset: Atomic<Int64>
    /// Milliseconds, by the continuous clock of this machine.
    let uptime: @Sendable () -> Int64
    private let wall: @Sendable () -> Instant
    /// By how much the clock of this machine was ahead when that was last logged.
    private let reported = Mutex(Span.zero)
    private let logger: Logger
    private let difference = Gauge(label: "cloakroom_clock_difference_seconds")

    /// A smaller difference of the clocks is that of two good ones.
    private static let tolerance: Int64 = 2000

    /// - Parameter wall: the clock of this machine. It counts until the database has told its time.
    init(
        logger: Logger, wall: @escaping @Sendable () -> Instant = StoreClock.machineTime,
        uptime: @escaping @Sendable () -> Int64 = StoreClock.machineUptime
    ) {
        self.logger = logger
        self.wall = wall
        self.uptime = uptime
        offset = Atomic(wall().milliseconds - uptime())
    }

    var now: Instant { Instant(milliseconds: offset.load(ordering: .relaxed) + uptime()) }

    /// Takes the time in a response of the database, which read its clock at some moment between the request and the
    /// response. The offset is changed only as far as that demands: a slow response must not spoil what a fast one has
    /// shown.
    /// - Parameter sent: `uptime` before the request.
    func take(_ time: Instant, sent: Int64) {
        // Both clocks are cut to whole milliseconds.
        let earliest = time.milliseconds - uptime() - 1
        let latest = time.milliseconds - sent + 1
        let known = offset.load(ordering: .relaxed)
        offset.store(min(max(known, earliest), latest), ordering: .relaxed)
        report(ahead: wall() - now)
    }

    private func report(ahead span: Span) {
        let seconds = Double(span.milliseconds) / 1000
        difference.record(seconds)
        let isNew = reported.withLock { reported in
            guard abs(span.milliseconds - reported.milliseconds) > Self.tolerance else { return false }
            reported = span
            return true
        }
        guard isNew else { return }
        logger.warning(
            "the difference between the clocks of this machine and of the database has changed; sessions and keys follow that of the database",
            metadata: ["seconds": "\(seconds.rounded())"])
    }
}

extension StoreClock {
    static let machineTime: @Sendable () -> Instant = {
        Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1000))
    }

    private static let start = ContinuousClock.now

    static let machineUptime: @Sendable () -> Int64 = {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    /// The time of the database as SQL, in milliseconds.
    static let sql = "(extract(epoch FROM clock_timestamp()) * 1000)::int8"
}
