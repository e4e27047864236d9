import CloakroomCore
import Synchronization

/// A month of the record of events, which is a partition of its own.
struct EventMonth: Hashable, Comparable {
    /// Months since January of the year 0, UTC.
    private let number: Int64

    init(of instant: Instant) {
        // Days since 0000-03-01, in eras of 400 years (146,097 days), then the year and month that begin in March.
        let days = Int64((Double(instant.milliseconds) / 86_400_000).rounded(.down)) + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let day = days - era * 146_097
        let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        number = (year + era * 400) * 12 + (5 * dayOfYear + 2) / 153 + 2
    }

    private init(number: Int64) {
        self.number = number
    }

    static func < (one: Self, other: Self) -> Bool { one.number < other.number }

    var next: Self { Self(number: number + 1) }

    /// The first millisecond.
    var start: Instant {
        let (year, month) = ((number - 2).quotientAndRemainder(dividingBy: 12).quotient, (number - 2) % 12)
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let day = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (153 * month + 2) / 5
        return Instant(milliseconds: (era * 146_097 + day - 719_468) * 86_400_000)
    }

    /// The name of the partition, such as `events_2026_11`.
    var table: String {
        let (year, month) = (number / 12, number % 12 + 1)
        return "events_\(year)_\(month < 10 ? "0" : "")\(month)"
    }

    /// Reads the name of a partition.
    init?(table: String) {
        let parts = table.split(separator: "_")
        guard parts.count == 3, parts[0] == "events", let year = Int64(parts[1]), let month = Int64(parts[2]) else {
            return nil
        }
        number = year * 12 + month - 1
    }

    /// Drops the partition. It waits a tenth of a second for the lock, which keeps others from the record for that
    /// long, and then leaves the partition to the next sweep.
    var removal: Statement {
        .single(
            """
            DO $do$ BEGIN SET LOCAL lock_timeout = '100ms'; DROP TABLE IF EXISTS cloakroom.\(table);
            EXCEPTION WHEN lock_not_available THEN NULL; END $do$
            """)
    }

    /// Creates the partition if there is none. Created first and attached then, it locks out neither readers nor
    /// writers.
    var creation: Statement {
        .single(
            """
            DO $do$ BEGIN IF NOT EXISTS (
            SELECT FROM pg_tables WHERE schemaname = 'cloakroom' AND tablename = '\(table)') THEN
            CREATE TABLE cloakroom.\(table) (LIKE cloakroom.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
            ALTER TABLE cloakroom.events ATTACH PARTITION cloakroom.\(table)
            FOR VALUES FROM (\(start.milliseconds)) TO (\(next.start.milliseconds));
            END IF; END $do$
            """)
    }
}

/// The partitions of the record that are known to exist. A partition is made when the first event of its month comes.
final class EventMonths: Sendable {
    private let known = Mutex<Set<EventMonth>>([])

    /// Makes the partitions that the statements need.
    func prepare(_ statements: [Statement], on connection: PostgresConnection) throws {
        var months: Set<EventMonth> = []
        for statement in statements where !statement.months.isEmpty { months.formUnion(statement.months) }
        guard !months.isEmpty else { return }
        let missing = known.withLock { months.subtracting($0) }
        guard !missing.isEmpty else { return }
        _ = try connection.transaction([Epochs.lock] + missing.sorted().map(\.creation))
        known.withLock { $0.formUnion(missing) }
    }
}
