/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Core never reads a clock: every rule takes the time as an argument. Arithmetic saturates: an absurd lifetime means
/// "for ever" and must not stop the process.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    /// Whole milliseconds; may be negative.
    public var milliseconds: Int64

    /// Takes whole milliseconds.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Seconds since 1970 (RFC 7519 NumericDate), rounded down.
    public var seconds: Int64 {
        Int64((Double(milliseconds) / 1000).rounded(.down))
    }

    /// Whether one comes before.
    public static func < (one: Self, other: Self) -> Bool {
        one.milliseconds < other.milliseconds
    }

    /// Decodes a plain number.
    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// Encodes a plain number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    /// The earliest value.
    package static let distantPast = Self(milliseconds: .min)

    /// Adds a span; saturates.
    public static func + (instant: Self, span: Span) -> Self {
        Self(milliseconds: instant.milliseconds.addingSaturated(span.milliseconds))
    }

    /// Subtracts a span; saturates.
    public static func - (instant: Self, span: Span) -> Self {
        Self(milliseconds: instant.milliseconds.subtractingSaturated(span.milliseconds))
    }

    /// The span from `earlier` to `later`; negative if `later` comes first.
    public static func - (later: Self, earlier: Self) -> Span {
        Span(milliseconds: later.milliseconds.subtractingSaturated(earlier.milliseconds))
    }
}

/// A length of time, in whole milliseconds.
public struct Span: Hashable, Comparable, Sendable {
    /// Whole milliseconds; may be negative.
    public var milliseconds: Int64

    /// Takes whole milliseconds.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// A span in seconds; saturates.
    public static func seconds(_ count: Int64) -> Self {
        Self(milliseconds: count.multipliedSaturated(by: 1000))
    }

    /// A span in minutes; saturates.
    public static func minutes(_ count: Int64) -> Self {
        .seconds(count.multipliedSaturated(by: 60))
    }

    /// A span in days of 24 hours; saturates.
    public static func days(_ count: Int64) -> Self {
        .seconds(count.multipliedSaturated(by: 86400))
    }

    /// A span of 0 ms.
    public static let zero = Self(milliseconds: 0)

    /// The maximum difference between the clocks of two machines.
    package static let clockLeeway = Span.seconds(30)

    /// Whole seconds, rounded down and never negative: the form of `expires_in`, which must not promise too much.
    public var wholeSeconds: Int64 {
        max(0, milliseconds) / 1000
    }

    /// Whole seconds, rounded up and never negative: the form of `Retry-After` and `renew_in`, which must not be too
    /// short.
    package var secondsToWait: Int64 {
        let whole = max(0, milliseconds)
        return whole / 1000 + (whole % 1000 > 0 ? 1 : 0)
    }

    /// The sum; saturates.
    public static func + (one: Self, other: Self) -> Self {
        Self(milliseconds: one.milliseconds.addingSaturated(other.milliseconds))
    }

    /// Whether one comes before.
    public static func < (one: Self, other: Self) -> Bool {
        one.milliseconds < other.milliseconds
    }
}

extension Int64 {
    fileprivate func addingSaturated(_ other: Self) -> Self {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }

    fileprivate func subtractingSaturated(_ other: Self) -> Self {
        let (difference, overflows) = subtractingReportingOverflow(other)
        return overflows ? (other > 0 ? .min : .max) : difference
    }

    fileprivate func multipliedSaturated(by factor: Self) -> Self {
        let (product, overflows) = multipliedReportingOverflow(by: factor)
        return overflows ? ((self > 0) == (factor > 0) ? .max : .min) : product
    }
}
