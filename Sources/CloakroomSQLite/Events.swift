import CloakroomCore
import CloakroomService
import GRDB

/// The append-only record of security events.
enum Events {
    static func append(_ events: [SecurityEvent], _ database: Database) throws {
        guard !events.isEmpty else { return }
        let statement = try database.cachedStatement(
            sql: "INSERT INTO events (kind, time, subject, session, address, detail) VALUES (?, ?, ?, ?, ?, ?)")
        for event in events {
            try statement.execute(arguments: [
                event.kind.rawValue, event.time.milliseconds, event.subject?.rawValue, event.session?.rawValue,
                event.address, event.detail,
            ])
        }
    }

    /// From now on what this connection records is announced by a server, not by this process.
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
                SELECT kind, time, subject, session, address, detail FROM events
                WHERE position IN (SELECT position FROM unannounced WHERE position BETWEEN ? AND ?) ORDER BY position
                """, arguments: [first, last])
        try database.execute(
            sql: "DELETE FROM unannounced WHERE position BETWEEN ? AND ?", arguments: [first, last])
        return rows.compactMap(event)
    }

    private static func event(_ row: Row) -> SecurityEvent? {
        guard let kind = SecurityEvent.Kind(rawValue: row[0]) else { return nil }
        return SecurityEvent(
            kind, at: Instant(milliseconds: row[1]), subject: (row[2] as String?).map { Subject($0) },
            session: (row[3] as String?).map { SessionID($0) }, address: row[4], detail: row[5])
    }
}
