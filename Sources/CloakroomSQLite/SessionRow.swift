import CloakroomCore
import Foundation
import GRDB

/// Converts a session to a row and back. The row has columns for the fields that statements search by and that a
/// renewal changes, and one JSON document for the rest.
enum SessionRow {
    /// The columns, in the order in which `session` reads and `insert` writes them.
    static let columns = """
        id, subject, secret, created_at, expires_at, generation, pending, window_opened_at, rotated_at, refresh_key, \
        stragglers_from, handed_out_at, reissued, last_seen_at, last_seen_day, revoked_at, revocation_reason, details, parent
        """

    /// A row that cannot be parsed as a session: this version did not write it.
    struct Corrupt: Error {}

    static func fetch(_ id: SessionID, _ database: Database) throws -> Session? {
        let statement = try database.cachedStatement(sql: "SELECT \(columns), \(claims) FROM sessions WHERE id = ?")
        // The row of a cursor is read in place and valid while the cursor lives; a fetched row would be a copy.
        let cursor = try Row.fetchCursor(statement, arguments: [id.rawValue])
        return try withExtendedLifetime(cursor) {
            guard let row = try cursor.next() else { return nil }
            var session = try session(row)
            if let document = row[19] as Data? {
                session.claims = try DocumentDecoder.decode(Claims.self, from: document)
            }
            return session
        }
    }

    /// The live sessions that were handed over from one, without claims.
    static func children(of parent: SessionID, _ database: Database) throws -> [Session] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT \(columns) FROM sessions WHERE parent = ? AND revoked_at IS NULL"),
            arguments: [parent.rawValue]
        ).map(session)
    }

    private static let claims = "(SELECT claims FROM subjects WHERE subjects.subject = sessions.subject)"

    static func insert(_ session: Session, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO sessions (\(columns))
                VALUES (\(Array(repeating: "?", count: 19).joined(separator: ", ")))
                """)
        let fixed: StatementArguments = [
            session.id.rawValue, session.subject.rawValue, Data(session.secret.bytes), session.createdAt.milliseconds,
            session.expiresAt.milliseconds,
        ]
        let rest: StatementArguments = [try document(session), session.parent?.rawValue]
        try statement.execute(arguments: fixed + rotation(session) + standing(session) + rest)
    }

    /// Saves the changed columns. A renewal changes no indexed column, except the first on a day, and not the
    /// document.
    static func update(_ session: Session, from before: Session, _ database: Database) throws {
        var (changes, arguments) = (rotationColumns, rotation(session))
        if session.revocation != before.revocation || day(of: session.lastSeenAt) != day(of: before.lastSeenAt) {
            changes += ", \(standingColumns)"
            arguments += standing(session)
        }
        if session.details != before.details {
            changes += ", details = ?"
            arguments += [try document(session)]
        }
        try database.cachedStatement(sql: "UPDATE sessions SET \(changes) WHERE id = ?")
            .execute(arguments: arguments + [session.id.rawValue])
    }

    /// Days since 1970-01-01, UTC.
    static func day(of instant: Instant) -> Int64 {
        Int64((Double(instant.milliseconds) / 86_400_000).rounded(.down))
    }

    private static let rotationColumns = """
        generation = ?, pending = ?, window_opened_at = ?, rotated_at = ?, refresh_key = ?, stragglers_from = ?, \
        handed_out_at = ?, reissued = ?, last_seen_at = ?
        """

    /// The values of `rotationColumns`, which every renewal changes.
    private static func rotation(_ session: Session) -> StatementArguments {
        var pending = false
        var windowOpenedAt: Instant?
        switch session.confirmation {
        case .pending: pending = true
        case .confirmed(let openedAt): windowOpenedAt = openedAt
        }
        return [
            session.generation, pending, windowOpenedAt?.milliseconds, session.rotatedAt.milliseconds,
            session.refreshKey, session.stragglersFrom, session.handedOutAt.milliseconds, session.isReissued,
            session.lastSeenAt.milliseconds,
        ]
    }

    private static let standingColumns = "last_seen_day = ?, revoked_at = ?, revocation_reason = ?"

    /// The values of `standingColumns`, which indices cover.
    private static func standing(_ session: Session) -> StatementArguments {
        [
            day(of: session.lastSeenAt), session.revocation?.time.milliseconds,
            session.revocation?.reason.rawValue,
        ]
    }

    private static func document(_ session: Session) throws -> Data {
        try JSONEncoder().encode(session.details)
    }

    /// Reads columns by position: a look-up by name costs as much as the rest of a renewal.
    static func session(_ row: Row) throws -> Session {
        let details = try DocumentDecoder.decode(Session.Details.self, from: row[17] as Data)
        guard details.version == Session.Details.currentVersion else { throw Corrupt() }
        return Session(
            id: SessionID(row[0]), subject: Subject(row[1]), secret: Secret(Array(row[2] as Data)),
            createdAt: instant(row[3]), expiresAt: instant(row[4]), generation: row[5],
            confirmation: row[6] ? .pending : .confirmed(windowOpenedAt: (row[7] as Int64?).map(instant)),
            rotatedAt: instant(row[8]), refreshKey: row[9], stragglersFrom: row[10], handedOutAt: instant(row[11]),
            isReissued: row[12], lastSeenAt: instant(row[13]),
            revocation: try revocation(time: row[15], reason: row[16]),
            details: details)
    }

    private static func instant(_ milliseconds: Int64) -> Instant {
        Instant(milliseconds: milliseconds)
    }

    private static func revocation(time: Int64?, reason: String?) throws -> Session.Revocation? {
        guard let time else { return nil }
        guard let reason else { throw Corrupt() }
        return Session.Revocation(time: instant(time), reason: RevocationReason(rawValue: reason))
    }
}
