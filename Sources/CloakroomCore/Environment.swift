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
}
