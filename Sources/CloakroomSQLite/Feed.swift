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
        let epoch = try StoreRecord.epoch(database)
        let start = try cursor?.position(in: epoch).flatMap { try position(of: $0, database) }
        let statement = try database.cachedStatement(
            sql: """
                SELECT position, session, subject, time FROM revocations WHERE position > ? ORDER BY position LIMIT ?
                """)
        let rows = try Row.fetchAll(statement, arguments: [start ?? 0, longestPage])
        let revoked = rows.compactMap { row in
            (row["session"] as String?).map { Revoked(session: SessionID($0), time: time(row)) }
        }
        let stale = rows.compactMap { row in
            (row["subject"] as String?).map { StaleMark(subject: Subject($0), time: time(row)) }
        }
        let end = rows.last.map { FeedCursor(epoch: epoch, position: "\($0["position"] as Int64)/\(name(of: $0))") }
        let unmoved = start == nil ? nil : cursor
        return FeedPage(
            isStart: start == nil, revoked: revoked, stale: stale,
            cursor: end ?? unmoved ?? FeedCursor(epoch: epoch, position: "0"))
    }

    /// Reads `0`, or the position and the name of an entry.
    ///
    /// The epoch does not change when an older copy of the file is put back by other means than `cloakroom restore`. Then
    /// the positions after the copy are given out again, so the entry must be the one that the reader has seen.
    /// - Returns: nil if the text is malformed, or the position of a lost history. An entry that was swept is a day old.
    private static func position(of text: Substring, _ database: Database) throws -> Int64? {
        if text == "0" { return 0 }
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let position = Int64(parts[0]), position > 0, parts[0] == "\(position)" else {
            return nil
        }
        let statement = try database.cachedStatement(
            sql: "SELECT session, subject FROM revocations WHERE position = ?")
        if let row = try Row.fetchOne(statement, arguments: [position]) {
            return name(of: row) == parts[1] ? position : nil
        }
        return try position <= lastPosition(database) ? position : nil
    }

    private static func name(of row: Row) -> String {
        (row["session"] as String?) ?? row["subject"]
    }

    /// The highest position that was ever given out.
    private static func lastPosition(_ database: Database) throws -> Int64 {
        let statement = try database.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'revocations'")
        return try Int64.fetchOne(statement) ?? 0
    }

    private static func time(_ row: Row) -> Instant {
        Instant(milliseconds: row["time"])
    }

    /// The sessions of the list that have no entry.
    static func missing(_ sessions: [SessionID], _ database: Database) throws -> [SessionID] {
        let names = Set(sessions.map(\.rawValue))
        let known = try String.fetchSet(
            database,
            sql: """
                SELECT session FROM revocations
                WHERE session IN (\(databaseQuestionMarks(count: names.count)))
                """, arguments: StatementArguments(names))
        return sessions.filter { !known.contains($0.rawValue) }
    }
}
