/// The clocks and the random generator of the use cases. Callers pass them in, so that tests control both.
package struct Environment: Sendable {
    /// The wall clock, which measures lifetimes.
    package let now: @Sendable () -> Instant
    /// A monotonic clock with an arbitrary start, which measures rate limits and the expiry of cached entries. A step
    /// of the wall clock must neither bring an ended session back nor lock a user out.
    package let uptime: @Sendable () -> Duration
    /// Returns `count` bytes from a cryptographically secure generator.
    package let random: @Sendable (_ count: Int) -> [UInt8]
    /// How much longer a window of this length counts as open, because the wall clock was just set forward.
    package let windowLengthening: @Sendable (_ window: Span) -> Span

    package init(
        now: @escaping @Sendable () -> Instant, uptime: @escaping @Sendable () -> Duration,
        random: @escaping @Sendable (_ count: Int) -> [UInt8],
        windowLengthening: @escaping @Sendable (_ window: Span) -> Span = { _ in .zero }
    ) {
        self.now = now
        self.uptime = uptime
        self.random = random
        self.windowLengthening = windowLengthening
    }
}
