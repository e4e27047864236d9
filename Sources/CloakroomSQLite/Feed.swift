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

    static func append(_ mark: StaleMark, _ database: Database) throws {
        try database.cachedStatement(sql: "INSERT INTO revocations (subject, time) VALUES (?, ?)")
            .execute(arguments: [mark.subject.rawValue, mark.time.milliseconds])
    }

    static func read(after cursor: FeedCursor?, _ database: Database) throws -> FeedPage {
        let start = cursor.flatMap { Int64($0.rawValue) } ?? 0
        let statement = try database.cachedStatement(
            sql: """
                SELECT position, session, subject, time FROM revocations WHERE position > ? ORDER BY position LIMIT ?
                """)
        let rows = try Row.fetchAll(statement, arguments: [start, longestPage])
        let revoked = rows.compactMap { row in
            (row["session"] as String?).map { Revoked(session: SessionID($0), time: time(row)) }
        }
        let stale = rows.compactMap { row in
            (row["subject"] as String?).map { StaleMark(subject: Subject($0), time: time(row)) }
        }
        let end = rows.last.map { $0["position"] as Int64 } ?? start
        return FeedPage(
            epoch: try StoreRecord.epoch(database), revoked: revoked, stale: stale, cursor: FeedCursor(String(end)))
    }

    private static func time(_ row: Row) -> Instant {
        Instant(milliseconds: row["time"])
    }
}
