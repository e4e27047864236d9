import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct ISO8601Tests {
    @Test(
        "RFC 3339 times are written and parsed",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_472_305_999, "2026-11-23T22:18:25Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"), (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (-1000, "1969-12-31T23:59:59Z"), (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ])
    func times(_ milliseconds: Int64, _ text: String) {
        #expect(Instant(milliseconds: milliseconds).iso8601 == text)
        let read = Instant(iso8601: text)
        #expect(read?.seconds == Instant(milliseconds: milliseconds).seconds)
    }

    @Test(
        "an offset and fractions of a second are parsed",
        arguments: [
            ("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z"),
            ("2026-01-01T00:00:00-05:30", "2026-01-01T05:30:00Z"),
            ("2026-01-01T00:00:00.9Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.123456+00:00", "2026-01-01T00:00:00Z"),
        ])
    func offsets(_ text: String, _ utc: String) {
        #expect(Instant(iso8601: text)?.iso8601 == utc)
    }

    @Test("a date without a time is midnight in UTC")
    func date() {
        #expect(Instant(iso8601: "2026-11-23")?.iso8601 == "2026-11-23T00:00:00Z")
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "2026", "2026-11", "2026-13-01", "2026-02-30", "2026-2-3", "2026-11-23T", "2026-11-23T10:00:00",
            "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z", "2026-11-23T10:00Z", "x", "2026-11-23T10:00:00+1:00",
            "2026-11-23T10:00:00+24:00", "2026-11-23T10:00:00+0100", "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00.1",
            "20a6-11-23", "2026-11-23TZ",
        ])
    func refuses(_ text: String) {
        #expect(Instant(iso8601: text) == nil)
    }
}
