import CloakroomCore
import CloakroomTokens
import GRDB

/// The table of revocations, numbered in the order in which they were committed.
enum Feed {
    static func append(_ session: SessionID, at time: Instant, _ database: Database) throws {
        try database.cachedStatement(sql: "INSERT INTO revocations (session, time) VALUES (?, ?)")
            .execute(arguments: [session.rawValue, time.milliseconds])
    }

    static func read(after position: Int64, _ database: Database) throws -> (revoked: [Revoked], position: Int64) {
        let statement = try database.cachedStatement(
            sql: "SELECT position, session, time FROM revocations WHERE position > ? ORDER BY position LIMIT 5000")
        let rows = try Row.fetchAll(statement, arguments: [position])
        let revoked = rows.map { row in
            Revoked(session: SessionID(row["session"]), time: Instant(milliseconds: row["time"]))
        }
        return (revoked, rows.last.map { $0["position"] } ?? position)
    }
}
