import CloakroomCore

/// RFC 7519 NumericDate: seconds since 1970.
enum NumericDate {
    /// Written as whole seconds where the time is one: strict readers in other languages expect integers.
    static func json(_ instant: Instant) -> JSONValue {
        guard instant.milliseconds % 1000 != 0 else { return .integer(instant.milliseconds / 1000) }
        return .number(Double(instant.milliseconds) / 1000)
    }

    /// nil for anything but a number between 1970 and the year 9999.
    static func instant(_ value: JSONValue?) -> Instant? {
        switch value {
        case .integer(let seconds)? where 0...latest ~= seconds:
            return Instant(milliseconds: seconds * 1000)
        case .number(let seconds)? where 0...Double(latest) ~= seconds:
            return Instant(milliseconds: Int64((seconds * 1000).rounded()))
        case .integer, .number, .object, .array, .string, .bool, .null, nil:
            return nil
        }
    }

    private static let latest: Int64 = 253_402_300_799
}
