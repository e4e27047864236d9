package import CloakroomCore
package import CloakroomTokens

/// The rotation of keys by interval: what is due follows from the keys and the time alone.
extension IssuerKeys {
    /// The shortest interval for sessions of this lifetime. Keys are kept for as long as sessions of their time live, and
    /// there are at most `maximumCount`; a tenth is left for rotations by hand.
    package static func shortestInterval(longestSession: Span) -> Span {
        let parts = Int64(maximumCount) * 9 / 10
        let share = Span(milliseconds: (longestSession.milliseconds + parts - 1) / parts)
        return max(share, .minutes(60))
    }

    /// Adds a signing key, and a refresh secret, where the newest one has signed for `interval` by the time when a new one
    /// begins.
    /// - Parameter publishesRefreshSecrets: whether a new refresh secret begins later, as a signing key does.
    /// - Returns: these keys if none is due.
    package func rotatedWhereDue(
        every interval: Span, publishesRefreshSecrets: Bool, at now: Instant, random: (Int) -> [UInt8]
    ) throws -> IssuerKeys {
        var keys = self
        let later = now + Self.publication
        if Self.isDue(signing.map(\.signsFrom), every: interval, from: later) {
            keys = try keys.rotated(from: later, at: now)
        }
        let start = publishesRefreshSecrets ? later : now
        if Self.isDue(refresh.map(\.signsFrom), every: interval, from: start) {
            keys = try keys.withNewRefreshSecret(from: start, at: now, random: random)
        }
        return keys
    }

    /// Whether `rotatedWhereDue` adds a key.
    func areDue(every interval: Span, publishesRefreshSecrets: Bool, at now: Instant) -> Bool {
        let later = now + Self.publication
        return Self.isDue(signing.map(\.signsFrom), every: interval, from: later)
            || Self.isDue(refresh.map(\.signsFrom), every: interval, from: publishesRefreshSecrets ? later : now)
    }

    /// A key that begins an interval later than the next one would was made by a clock that was ahead. If it counted, no key
    /// would be made until then.
    private static func isDue(_ beginnings: [Instant], every interval: Span, from start: Instant) -> Bool {
        let newest = beginnings.filter { $0 <= start + interval }.max() ?? .distantPast
        return newest + interval <= start
    }
}
