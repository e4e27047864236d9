package import CloakroomCore

extension Instant {
    /// The time for people, in UTC: `2026-11-23T21:19:45Z` (RFC 3339).
    package var iso8601: String {
        let days = Int((Double(seconds) / 86400).rounded(.down))
        let second = Int(seconds) - days * 86400
        let (year, month, day) = Self.date(daysSince1970: days)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }

    /// The time as HTTP writes it: `Mon, 23 Nov 2026 21:19:45 GMT` (RFC 9110 section 5.6.7).
    package var httpDate: String {
        let days = Int((Double(seconds) / 86400).rounded(.down))
        let second = Int(seconds) - days * 86400
        let (year, month, day) = Self.date(daysSince1970: days)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7 + 7) % 7]
        let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        return "\(weekday), \(two(day)) \(name) \(year) \(time) GMT"
    }

    /// Parses a date, `2026-11-23`, or a time of RFC 3339 with `Z` or an offset, `2026-11-23T22:19:45.5+01:00`; nil for
    /// anything else. A time without either is refused: it would be another instant on another machine.
    package init?(iso8601 text: String) {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count, let date = Self.numbers(parts[0], separator: "-", widths: [4, 2, 2]) else {
            return nil
        }
        let days = Self.daysSince1970(date[0], date[1], date[2])
        guard Self.date(daysSince1970: days) == (date[0], date[1], date[2]) else { return nil }
        let midnight = Int64(days) * 86_400_000
        guard parts.count == 2 else {
            self.init(milliseconds: midnight)
            return
        }
        guard let offset = Self.offset(of: parts[1]), let time = Self.milliseconds(parts[1].dropLast(offset.length))
        else { return nil }
        self.init(milliseconds: midnight + time - Int64(offset.minutes) * 60_000)
    }

    /// Parses the offset at the end of the time: `Z`, `+01:00`, `-05:30`.
    private static func offset(of text: Substring) -> (minutes: Int, length: Int)? {
        if text.last == "Z" { return (0, 1) }
        let tail = text.suffix(6)
        guard tail.count == 6, let sign = tail.first, "+-".contains(sign),
            let numbers = numbers(tail.dropFirst(), separator: ":", widths: [2, 2]), numbers[0] < 24, numbers[1] < 60
        else { return nil }
        let minutes = numbers[0] * 60 + numbers[1]
        return (sign == "-" ? -minutes : minutes, 6)
    }

    /// `21:19:45`, or `21:19:45.123` with any number of digits, of which three count.
    private static func milliseconds(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count, let time = numbers(parts[0], separator: ":", widths: [2, 2, 2]), time[0] < 24,
            time[1] < 60, time[2] < 60
        else { return nil }
        let whole = Int64(time[0] * 3600 + time[1] * 60 + time[2]) * 1000
        guard parts.count == 2 else { return whole }
        guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        let digits = parts[1].prefix(3)
        return Int64(digits + String(repeating: "0", count: 3 - digits.count)).map { whole + $0 }
    }

    private static func numbers(_ text: Substring, separator: Character, widths: [Int]) -> [Int]? {
        let fields = text.split(separator: separator, omittingEmptySubsequences: false)
        guard fields.map(\.utf8.count) == widths, fields.allSatisfy({ $0.utf8.allSatisfy { 48...57 ~= $0 } }) else {
            return nil
        }
        return fields.compactMap { Int($0) }
    }

    /// Howard Hinnant's civil-from-days: years that begin in March put the leap day last.
    private static func date(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
