import CloakroomCore
import Foundation

/// Converts a session to a row and back. The row has columns for the fields that statements search by and that a
/// renewal changes, and one JSON document for the rest.
enum SessionRow {
    /// The columns, in the order in which `session` reads and `values` writes them, after `version`.
    static let columns = """
        id, subject, secret, created_at, expires_at, generation, pending, window_opened_at, rotated_at, refresh_key, \
        stragglers_from, handed_out_at, reissued, last_seen_at, last_seen_day, revoked_at, revocation_reason, details, \
        parent
        """

    /// The `HandOverPoint` of a session, as SQL.
    static let point = "(convert_from(details, 'UTF8')::jsonb->'handedOver'->'point')"

    /// How often a session has withdrawn its codes, as SQL.
    static let handOverEpoch = "coalesce((convert_from(details, 'UTF8')::jsonb->>'handOverEpoch')::int8, 0)"

    /// A row that cannot be parsed as a session: this version did not write it.
    struct Corrupt: Error {}

    /// The session, its version, the claims of its subject, and whether its account still has the credential `$2`.
    static func selection(_ id: SessionID, checking credentialVersion: Int?) -> Statement {
        Statement(readOne, [.text(id.rawValue), .int(credentialVersion.map(Int64.init))])
    }

    private static let readOne = """
        SELECT \(columns), version, (SELECT claims FROM cloakroom.subjects WHERE subject = s.subject),
            $2::int8 IS NULL OR EXISTS (
                SELECT FROM cloakroom.accounts
                WHERE subject = s.subject AND NOT disabled AND credential_version = $2)
        FROM cloakroom.sessions AS s WHERE id = $1
        """

    /// A session as it was read. Only a row that still has this version may be changed.
    struct Read {
        let session: Session
        let version: Int64
        let hasCredential: Bool

        init(_ row: SQLRow) throws {
            var session = try SessionRow.session(row)
            if let document = row.optionalBytes(20) {
                session.claims = try DocumentDecoder.decode(Claims.self, from: document)
            }
            self.session = session
            version = row.int(19)
            hasCredential = row.bool(21)
        }
    }

    static func values(_ session: Session) throws -> [SQLValue] {
        [
            .text(session.id.rawValue), .text(session.subject.rawValue), .bytes(session.secret.bytes),
            .int(session.createdAt.milliseconds), .int(session.expiresAt.milliseconds),
        ] + changing(session) + [.bytes(try document(session)), .text(session.parent?.rawValue)]
    }

    /// The columns that change, from `generation` to `revocation_reason`.
    static func changing(_ session: Session) -> [SQLValue] {
        var pending = false
        var windowOpenedAt: Instant?
        switch session.confirmation {
        case .pending: pending = true
        case .confirmed(let openedAt): windowOpenedAt = openedAt
        }
        return [
            .int(Int64(session.generation)), .bool(pending), .int(windowOpenedAt?.milliseconds),
            .int(session.rotatedAt.milliseconds), .text(session.refreshKey), .int(Int64(session.stragglersFrom)),
            .int(session.handedOutAt.milliseconds), .bool(session.isReissued), .int(session.lastSeenAt.milliseconds),
            .int(day(of: session)), .int(session.revocation?.time.milliseconds),
            .text(session.revocation?.reason.rawValue),
        ]
    }

    static func document(_ session: Session) throws -> [UInt8] {
        Array(try JSONEncoder().encode(session.details))
    }

    /// Days since 1970-01-01, UTC.
    static func day(of instant: Instant) -> Int64 {
        Int64((Double(instant.milliseconds) / 86_400_000).rounded(.down))
    }

    /// The day of the last activity, where each session has a midnight of its own, up to a day late.
    ///
    /// A renewal that changes an indexed column is not HOT: it writes every index. With one midnight for all, that
    /// would be the first renewal of every session in the same minutes.
    private static func day(of session: Session) -> Int64 {
        day(of: session.lastSeenAt, in: session.id.rawValue)
    }

    static func day(of lastSeenAt: Instant, in session: String) -> Int64 {
        let hash = session.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return day(of: lastSeenAt - Span(milliseconds: Int64(hash % 86_400_000)))
    }

    static func session(_ row: SQLRow) throws -> Session {
        let details = try DocumentDecoder.decode(Session.Details.self, from: row.bytes(17))
        guard details.version == Session.Details.currentVersion else { throw Corrupt() }
        return Session(
            id: SessionID(row.text(0)), subject: Subject(row.text(1)), secret: Secret(row.bytes(2)),
            createdAt: row.instant(3), expiresAt: row.instant(4), generation: Int(row.int(5)),
            confirmation: row.bool(6)
                ? .pending : .confirmed(windowOpenedAt: row.optionalInt(7).map { Instant(milliseconds: $0) }),
            rotatedAt: row.instant(8), refreshKey: row.text(9), stragglersFrom: Int(row.int(10)),
            handedOutAt: row.instant(11), isReissued: row.bool(12), lastSeenAt: row.instant(13),
            revocation: try revocation(row), details: details)
    }

    private static func revocation(_ row: SQLRow) throws -> Session.Revocation? {
        guard let time = row.optionalInt(15) else { return nil }
        guard let reason = row.optionalText(16) else { throw Corrupt() }
        return Session.Revocation(time: Instant(milliseconds: time), reason: RevocationReason(rawValue: reason))
    }
}

extension SQLRow {
    func instant(_ column: Int32) -> Instant { Instant(milliseconds: int(column)) }
}
