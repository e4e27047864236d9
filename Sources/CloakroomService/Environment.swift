package import CloakroomCore
import Crypto
import Foundation

/// The time and the randomness that the use cases draw on: handed in, so that tests decide both.
package struct Environment: Sendable {
    /// The wall clock: lifetimes count by it.
    package let now: @Sendable () -> Instant
    /// A monotonic clock, from any start: limits, and what is forgotten, count by it. A step of the wall clock must
    /// neither bring an ended session back nor lock anybody out.
    package let uptime: @Sendable () -> Duration
    /// So many bytes from a cryptographically secure generator.
    package let random: @Sendable (_ count: Int) -> [UInt8]

    package init(
        now: @escaping @Sendable () -> Instant, uptime: @escaping @Sendable () -> Duration,
        random: @escaping @Sendable (_ count: Int) -> [UInt8]
    ) {
        self.now = now
        self.uptime = uptime
        self.random = random
    }

    /// The machine's clock and its generator.
    package static let system = Environment(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        },
        uptime: {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        },
        random: { count in SymmetricKey(size: .init(bitCount: count * 8)).withUnsafeBytes { Array($0) } })
}
