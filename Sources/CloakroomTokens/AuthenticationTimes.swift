import CloakroomCore

/// The claim `auth_times`: an object with the time of each level, such as `{"1": 1800000000}`.
enum AuthenticationTimes {
    /// nil, for no claim, without levels.
    static func json(_ times: [AuthenticationLevel: Instant]) -> JSONValue? {
        guard !times.isEmpty else { return nil }
        var object = JSONObject()
        for (level, time) in times.sorted(by: { $0.key < $1.key }) {
            object[level.rawValue] = .integer(time.seconds)
        }
        return .object(object)
    }

    /// Without the claim there are no levels; nil for a claim of another form.
    static func read(_ claim: JSONValue?) -> [AuthenticationLevel: Instant]? {
        guard let claim else { return [:] }
        guard let members = claim.objectValue?.members else { return nil }
        var times: [AuthenticationLevel: Instant] = [:]
        for (name, value) in members {
            guard let level = AuthenticationLevel(rawValue: name), let time = NumericDate.instant(value) else {
                return nil
            }
            times[level] = time
        }
        return times
    }
}
