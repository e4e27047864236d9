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
}
