import CloakroomCore

/// The claim `auth_times`: for each level, weakest first, the seconds from `auth_time` to the time when it was reached
/// again, and 0 for a level that was not. An array, because every byte of the cookie counts.
enum AuthenticationTimes {
    /// nil, for no claim, without levels.
    static func json(_ times: [AuthenticationLevel: Instant], after time: Instant) -> JSONValue? {
        guard !times.isEmpty else { return nil }
        var seconds = AuthenticationLevel.allCases.sorted().map { times[$0].map { $0.seconds - time.seconds } ?? 0 }
        while seconds.last == 0 { seconds.removeLast() }
        return seconds.isEmpty ? nil : .array(seconds.map { .integer($0) })
    }

    /// Without the claim there are no levels; nil for a claim of another form.
    static func read(_ claim: JSONValue?, after time: Instant) -> [AuthenticationLevel: Instant]? {
        guard let claim else { return [:] }
        let levels = AuthenticationLevel.allCases.sorted()
        guard let values = claim.arrayValue, 1...levels.count ~= values.count else { return nil }
        var times: [AuthenticationLevel: Instant] = [:]
        for (level, value) in zip(levels, values) {
            guard case .integer(let seconds) = value, 0...longest ~= seconds else { return nil }
            if seconds > 0 { times[level] = time + .seconds(seconds) }
        }
        return times
    }

    /// The longest lifetime of a session, in seconds.
    private static let longest: Int64 = 34_560_000
}
