import CloakroomCore
import CloakroomStores
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
    private let state = Mutex(State())
    private let logger: Logger
    private let difference = Gauge(label: "cloakroom_clock_difference_seconds")

    private struct State {
        /// Whether the database has told its time.
        var isKnown = false
        /// The latest steps forward that came one after the other, and the `uptime` of the last of them.
        var step: (size: Int64, uptime: Int64)?
        /// By how much the clock of this machine was ahead when that was last logged.
        var reported: Int64 = 0
    }

    /// A smaller difference of the clocks is that of two good ones.
    private static let tolerance: Int64 = 2000
    /// Steps forward with a longer time between them have nothing to do with each other, in milliseconds.
    private static let memory: Int64 = 3_600_000

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

    /// The latest step forward.
    var step: SharedTime.Step? {
        state.withLock(\.step).map { step in
            SharedTime.Step(
                size: Span(milliseconds: step.size), age: Span(milliseconds: uptime() - step.uptime))
        }
    }

    /// Takes the time in a response of the database, which read its clock at some moment between the request and the
    /// response. The offset is changed only as far as that demands: a slow response must not spoil what a fast one has
    /// shown.
    /// - Parameter sent: `uptime` before the request.
    func take(_ time: Instant, sent: Int64) {
        // Both clocks are cut to whole milliseconds.
        let earliest = time.milliseconds - uptime() - 1
        let latest = time.milliseconds - sent + 1
        state.withLock { state in
            let known = offset.load(ordering: .relaxed)
            let found = min(max(known, earliest), latest)
            if state.isKnown, found - known > Self.tolerance { note(step: found - known, &state) }
            state.isKnown = true
            offset.store(found, ordering: .relaxed)
        }
        report(ahead: (wall() - now).milliseconds)
    }

    private func note(step size: Int64, _ state: inout State) {
        let earlier = state.step.map { uptime() - $0.uptime < Self.memory ? $0.size : 0 } ?? 0
        state.step = (earlier + size, uptime())
    }

    private func report(ahead milliseconds: Int64) {
        let seconds = Double(milliseconds) / 1000
        difference.record(seconds)
        let isNew = state.withLock { state in
            guard abs(milliseconds - state.reported) > Self.tolerance else { return false }
            state.reported = milliseconds
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
