public import CloakroomCore

/// The time of a clock that all instances on a store share.
public struct SharedTime: Hashable, Sendable {
    /// A step of the clock forward, which a failover to a server with another clock makes.
    public struct Step: Hashable, Sendable {
        /// How far the clock was set forward.
        public let size: Span
        /// The time since then, by a clock that was not set.
        public let age: Span

        /// Takes both.
        public init(size: Span, age: Span) {
            self.size = size
            self.age = age
        }
    }

    /// The time.
    public let now: Instant
    /// The latest step forward; nil if there was none.
    public let step: Step?

    /// Takes both.
    public init(now: Instant, step: Step? = nil) {
        self.now = now
        self.step = step
    }

    /// How much longer a window of this length counts as open. A step would close every window at once, and take late
    /// requests of honest users for reuses.
    package func lengthening(of window: Span) -> Span {
        step.map { $0.age < window ? $0.size : .zero } ?? .zero
    }
}
