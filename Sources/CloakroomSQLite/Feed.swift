import CloakroomCore
import CloakroomStores
import GRDB

/// The table of revocations. Positions are in commit order, because SQLite has one writer.
enum Feed {
    private static let longestPage = 5000

    static func append(_ session: SessionID, at time: Instant, _ database: Database) throws {
        try database.cachedStatement(sql: "INSERT INTO revocations (session, time) VALUES (?, ?)")
            .execute(arguments: [session.rawValue, time.milliseconds])
    }

    static func read(after cursor: FeedCursor?, _ database: Database) throws -> FeedPage {
        let start = cursor.flatMap { Int64($0.rawValue) } ?? 0
        let statement = try database.cachedStatement(
            sql: "SELECT position, session, time FROM revocations WHERE position > ? ORDER BY position LIMIT ?")
        let rows = try Row.fetchAll(statement, arguments: [start, longestPage])
        let revoked = rows.map { row in
            Revoked(session: SessionID(row["session"]), time: Instant(milliseconds: row["time"]))
        }
        let end = rows.last.map { $0["position"] as Int64 } ?? start
        return FeedPage(epoch: try StoreRecord.epoch(database), revoked: revoked, cursor: FeedCursor(String(end)))
    }
}
