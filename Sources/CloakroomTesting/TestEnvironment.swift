package import CloakroomCore
import Synchronization

/// A clock that a test advances, and a random generator that yields the same bytes in every run.
package final class TestEnvironment: Sendable {
    private let state: Mutex<(now: Instant, uptime: Duration, seed: UInt64)>

    /// 2027-01-15T08:00:00Z
    package static let start = Instant(milliseconds: 1_800_000_000_000)

    package init(now: Instant = start, seed: UInt64 = 1) {
        state = Mutex((now, .seconds(1000), seed))
    }

    package var now: Instant { state.withLock { $0.now } }

    package var uptime: Duration { state.withLock { $0.uptime } }

    /// Advances the wall clock and the monotonic clock.
    package func advance(_ span: Span) {
        state.withLock { state in
            state.now = state.now + span
            state.uptime += .milliseconds(span.milliseconds)
        }
    }

    /// Steps the wall clock forward or back, and leaves the monotonic clock.
    package func step(_ span: Span) {
        state.withLock { $0.now = $0.now + span }
    }

    /// The environment to pass to a service.
    package var environment: Environment {
        Environment(now: { self.now }, uptime: { self.uptime }, random: { self.bytes($0) })
    }

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 24) }
    }

    /// The next value of SplitMix64.
    private func next() -> UInt64 {
        state.withLock { state in
            state.seed &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state.seed
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
