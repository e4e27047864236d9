import CloakroomCore
import Foundation
import GRDB

/// A session as a row and back.
enum SessionRow {
    /// In the order in which `session` reads them and `arguments` writes them.
    static let columns = """
        id, subject, client, secret, created_at, expires_at, remembered, user_agent, address, generation, pending, \
        window_opened_at, rotated_at, refresh_key, last_seen_at, stragglers_from, handed_out_at, reissued, auth_time, \
        amr, acr, earlier_auth_time, earlier_amr, earlier_acr, revoked_at, revocation_reason
        """

    /// A row that does not read as a session: the file was written by something else.
    struct Corrupt: Error {}

    static func fetch(_ id: SessionID, _ database: Database) throws -> Session? {
        let statement = try database.cachedStatement(sql: "SELECT \(columns) FROM sessions WHERE id = ?")
        // The cursor's row is read where it lies, which is no longer than the cursor lives; a row that is fetched is a copy.
        let cursor = try Row.fetchCursor(statement, arguments: [id.rawValue])
        return try withExtendedLifetime(cursor) { try cursor.next().map(session) }
    }

    static func insert(_ session: Session, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO sessions (\(columns), last_seen_day)
                VALUES (\(Array(repeating: "?", count: 27).joined(separator: ", ")))
                """)
        let state = state(session)
        let arguments: StatementArguments = [
            session.id.rawValue, session.subject.rawValue, session.client.rawValue, Data(session.secret.bytes),
            session.createdAt.milliseconds, session.expiresAt.milliseconds, session.remembered, session.userAgent,
            session.address,
        ]
        try statement.execute(arguments: arguments + state + standing(session) + [day(of: session.lastSeenAt)])
    }

    /// Saves what changed. A renewal changes no column of any index, but on the first of a day.
    static func update(_ session: Session, from before: Session, _ database: Database) throws {
        if standing(session) != standing(before) || day(of: session.lastSeenAt) != day(of: before.lastSeenAt) {
            try database.cachedStatement(sql: "UPDATE sessions SET \(stateColumns), \(standingColumns) WHERE id = ?")
                .execute(
                    arguments: state(session) + standing(session) + [day(of: session.lastSeenAt), session.id.rawValue])
        } else {
            try database.cachedStatement(sql: "UPDATE sessions SET \(stateColumns) WHERE id = ?")
                .execute(arguments: state(session) + [session.id.rawValue])
        }
    }

    /// Days since 1970.
    static func day(of instant: Instant) -> Int64 {
        Int64((Double(instant.milliseconds) / 86_400_000).rounded(.down))
    }

    private static let stateColumns = """
        generation = ?, pending = ?, window_opened_at = ?, rotated_at = ?, refresh_key = ?, last_seen_at = ?, \
        stragglers_from = ?, handed_out_at = ?, reissued = ?
        """

    /// What every renewal changes.
    private static func state(_ session: Session) -> StatementArguments {
        var pending = false
        var windowOpenedAt: Instant?
        switch session.confirmation {
        case .pending: pending = true
        case .confirmed(let openedAt): windowOpenedAt = openedAt
        }
        return [
            session.generation, pending, windowOpenedAt?.milliseconds, session.rotatedAt.milliseconds,
            session.refreshKey, session.lastSeenAt.milliseconds, session.stragglersFrom,
            session.handedOutAt.milliseconds, session.isReissued,
        ]
    }

    private static let standingColumns = """
        auth_time = ?, amr = ?, acr = ?, earlier_auth_time = ?, earlier_amr = ?, earlier_acr = ?, \
        revoked_at = ?, revocation_reason = ?, last_seen_day = ?
        """

    /// What changes with a step-up or at the end.
    private static func standing(_ session: Session) -> StatementArguments {
        let earlier = session.earlierAuthentication
        return [
            session.authentication.time.milliseconds, session.authentication.methods.joined(separator: " "),
            session.authentication.level.rawValue, earlier?.time.milliseconds,
            earlier?.methods.joined(separator: " "), earlier?.level.rawValue,
            session.revocation?.time.milliseconds, session.revocation?.reason.rawValue,
        ]
    }

    /// By position: a look-up by name costs as much as all the rest of a renewal.
    static func session(_ row: Row) throws -> Session {
        guard let authentication = authentication(time: row[18], methods: row[19], level: row[20]) else {
            throw Corrupt()
        }
        return Session(
            id: SessionID(row[0]), subject: Subject(row[1]), client: ClientID(row[2]),
            secret: Secret(Array(row[3] as Data)), createdAt: instant(row[4]), expiresAt: instant(row[5]),
            remembered: row[6], userAgent: row[7], address: row[8], generation: row[9],
            confirmation: row[10] ? .pending : .confirmed(windowOpenedAt: (row[11] as Int64?).map(instant)),
            rotatedAt: instant(row[12]), refreshKey: row[13], lastSeenAt: instant(row[14]),
            authentication: authentication,
            earlierAuthentication: self.authentication(time: row[21], methods: row[22], level: row[23]),
            stragglersFrom: row[15], handedOutAt: instant(row[16]), isReissued: row[17],
            revocation: try revocation(time: row[24], reason: row[25]))
    }

    private static func instant(_ milliseconds: Int64) -> Instant {
        Instant(milliseconds: milliseconds)
    }

    private static func authentication(time: Int64?, methods: String?, level: String?) -> Authentication? {
        guard let time, let methods, let level = level.flatMap(AuthenticationLevel.init(rawValue:)) else { return nil }
        return Authentication(
            time: instant(time), methods: methods.split(separator: " ").map(String.init), level: level)
    }

    private static func revocation(time: Int64?, reason: String?) throws -> Session.Revocation? {
        guard let time else { return nil }
        guard let reason = reason.flatMap(RevocationReason.init(rawValue:)) else { throw Corrupt() }
        return Session.Revocation(time: instant(time), reason: reason)
    }
}
