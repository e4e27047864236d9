import CloakroomCore
import Foundation
import GRDB

/// A session as a row and back.
enum SessionRow {
    static let columns = """
        id, subject, client, secret, created_at, expires_at, remembered, user_agent, address, generation, pending, \
        window_opened_at, rotated_at, refresh_key, last_seen_at, auth_time, amr, acr, superseded_auth_time, \
        superseded_amr, superseded_acr, revoked_at, revocation_reason
        """

    private static let placeholders = Array(repeating: "?", count: 23).joined(separator: ", ")

    /// A row that does not read as a session: the file was written by something else.
    struct Corrupt: Error {}

    static func fetch(_ id: SessionID, _ database: Database) throws -> Session? {
        let statement = try database.cachedStatement(sql: "SELECT \(columns) FROM sessions WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id.rawValue]).map(session)
    }

    /// Inserts the session, or puts it in the place of its earlier self.
    static func save(_ session: Session, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO sessions (\(columns)) VALUES (\(placeholders))")
        try statement.execute(arguments: arguments(session))
    }

    private static func arguments(_ session: Session) -> StatementArguments {
        var pending = false
        var windowOpenedAt: Instant?
        switch session.confirmation {
        case .pending: pending = true
        case .confirmed(let openedAt): windowOpenedAt = openedAt
        }
        let superseded = session.supersededAuthentication
        return [
            session.id.rawValue, session.subject.rawValue, session.client.rawValue, Data(session.secret.bytes),
            session.createdAt.milliseconds, session.expiresAt.milliseconds, session.remembered, session.userAgent,
            session.address, session.generation, pending, windowOpenedAt?.milliseconds, session.rotatedAt.milliseconds,
            session.refreshKey, session.lastSeenAt.milliseconds, session.authentication.time.milliseconds,
            session.authentication.methods.joined(separator: " "), session.authentication.level.rawValue,
            superseded?.time.milliseconds, superseded?.methods.joined(separator: " "), superseded?.level.rawValue,
            session.revocation?.time.milliseconds, session.revocation?.reason.rawValue,
        ]
    }

    static func session(_ row: Row) throws -> Session {
        guard let authentication = authentication(time: row["auth_time"], methods: row["amr"], level: row["acr"]) else {
            throw Corrupt()
        }
        return Session(
            id: SessionID(row["id"]), subject: Subject(row["subject"]), client: ClientID(row["client"]),
            secret: Secret(Array(row["secret"] as Data)), createdAt: instant(row["created_at"]),
            expiresAt: instant(row["expires_at"]), remembered: row["remembered"], userAgent: row["user_agent"],
            address: row["address"], generation: row["generation"],
            confirmation: row["pending"]
                ? .pending : .confirmed(windowOpenedAt: (row["window_opened_at"] as Int64?).map(instant)),
            rotatedAt: instant(row["rotated_at"]), refreshKey: row["refresh_key"],
            lastSeenAt: instant(row["last_seen_at"]), authentication: authentication,
            supersededAuthentication: self.authentication(
                time: row["superseded_auth_time"], methods: row["superseded_amr"], level: row["superseded_acr"]),
            revocation: try revocation(row))
    }

    private static func instant(_ milliseconds: Int64) -> Instant {
        Instant(milliseconds: milliseconds)
    }

    private static func authentication(time: Int64?, methods: String?, level: String?) -> Authentication? {
        guard let time, let methods, let level = level.flatMap(AuthenticationLevel.init(rawValue:)) else { return nil }
        return Authentication(
            time: instant(time), methods: methods.split(separator: " ").map(String.init), level: level)
    }

    private static func revocation(_ row: Row) throws -> Session.Revocation? {
        guard let time = row["revoked_at"] as Int64? else { return nil }
        guard let reason = (row["revocation_reason"] as String?).flatMap(RevocationReason.init(rawValue:)) else {
            throw Corrupt()
        }
        return Session.Revocation(time: instant(time), reason: reason)
    }
}
