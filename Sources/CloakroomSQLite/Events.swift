import CloakroomCore
import CloakroomStores
import Foundation
import GRDB

/// The append-only record of security events.
enum Events {
    private static let columns = "kind, time, subject, session, address, details"

    static func append(_ events: [SecurityEvent], _ database: Database) throws {
        guard !events.isEmpty else { return }
        let statement = try database.cachedStatement(
            sql: "INSERT INTO events (\(columns)) VALUES (?, ?, ?, ?, ?, ?)")
        for event in events {
            try statement.execute(arguments: [
                event.kind.rawValue, event.time.milliseconds, event.subject?.rawValue, event.session?.rawValue,
                event.address, try document(event.details),
            ])
        }
    }

    private static func document(_ details: SecurityEvent.Details) throws -> Data? {
        details == SecurityEvent.Details() ? nil : try JSONEncoder().encode(details)
    }

    static func read(
        _ query: EventQuery, after cursor: EventCursor?, limit: Int, _ database: Database
    ) throws -> EventPage {
        let start = cursor.flatMap { Int64($0.rawValue) } ?? 0
        let (condition, arguments) = query.condition
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT \(columns), position FROM events WHERE position > ? AND \(condition) ORDER BY position LIMIT ?
                """, arguments: [start] + arguments + [limit])
        return EventPage(events: rows.map(event), cursor: EventCursor(String(try end(rows, start, limit, database))))
    }

    /// The position up to which a page was looked for. Behind a page that is not full no other row matches, so the next
    /// page begins after the newest row: a reader that follows a rare kind must not scan the record again each time.
    private static func end(_ rows: [Row], _ start: Int64, _ limit: Int, _ database: Database) throws -> Int64 {
        if rows.count == limit, let last = rows.last { return last["position"] }
        return max(start, try Int64.fetchOne(database, sql: "SELECT max(position) FROM events") ?? start)
    }

    /// Makes this connection also list its new events in `unannounced`, so that a server logs and counts them.
    static func leaveToServers(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TEMP TRIGGER IF NOT EXISTS leave_to_servers AFTER INSERT ON main.events
                    BEGIN INSERT INTO unannounced (position) VALUES (NEW.position); END
                """)
    }

    static func hasUnannounced(_ database: Database) throws -> Bool {
        try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM unannounced)") ?? false
    }

    static func takeUnannounced(_ limit: Int, _ database: Database) throws -> [SecurityEvent] {
        let positions = try Int64.fetchAll(
            database, sql: "SELECT position FROM unannounced ORDER BY position LIMIT ?", arguments: [limit])
        guard let first = positions.first, let last = positions.last else { return [] }
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT \(columns) FROM events
                WHERE position IN (SELECT position FROM unannounced WHERE position BETWEEN ? AND ?) ORDER BY position
                """, arguments: [first, last])
        try database.execute(
            sql: "DELETE FROM unannounced WHERE position BETWEEN ? AND ?", arguments: [first, last])
        return rows.map(event)
    }

    /// Never fails: a single row that a newer version wrote must not stop the reader of the record.
    private static func event(_ row: Row) -> SecurityEvent {
        let details = (row[5] as Data?).map { document in
            (try? DocumentDecoder.decode(SecurityEvent.Details.self, from: document)) ?? .unreadable
        }
        return SecurityEvent(
            SecurityEvent.Kind(rawValue: row[0]), at: Instant(milliseconds: row[1]),
            subject: (row[2] as String?).map { Subject($0) }, session: (row[3] as String?).map { SessionID($0) },
            address: row[4], details: details ?? SecurityEvent.Details())
    }
}

extension EventQuery {
    /// The condition as SQL, and its arguments.
    fileprivate var condition: (sql: String, arguments: StatementArguments) {
        var (parts, arguments): ([String], StatementArguments) = (["TRUE"], [])
        func add(_ sql: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            parts.append(sql)
            arguments += [value]
        }
        add("subject = ?", subject?.rawValue)
        add("session = ?", session?.rawValue)
        add("time >= ?", since?.milliseconds)
        add("time < ?", until?.milliseconds)
        if !kinds.isEmpty {
            parts.append("kind IN (\(kinds.map { _ in "?" }.joined(separator: ", ")))")
            arguments += StatementArguments(kinds.map(\.rawValue))
        }
        return (parts.joined(separator: " AND "), arguments)
    }
}
