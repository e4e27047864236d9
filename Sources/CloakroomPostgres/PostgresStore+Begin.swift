// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Foundation

extension PostgresStore {
    public func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Claims>? {
        let end = SessionChange.End(reason: .tooManySessions, time: start.session.createdAt)
        let statements =
            SubjectLock.statements(start.session.subject) + SubjectLock.statements(parent: start.session.parent)
            + [
                try beginning(start, end, recording: events),
                try SessionChange.endOfChildren(
                    of: .ofSubject(start.session.subject), at: end.time, self.events),
                Statement(
                    "SELECT claims FROM cloakroom.subjects WHERE subject = $1", [.text(start.session.subject.rawValue)]),
            ]
        let begun = try await subjects.perform("") { Self.beginning(statements, start, end, events, $0) }
        guard let begun, let replaced = start.replacing, !begun.revoked.contains(where: { $0.session == replaced })
        else {
            return begun
        }
        // It may belong to another subject, whose rows are not part of the transaction.
        let other = try await self.end([replaced], .init(reason: .replaced, time: end.time), in: sessions)
        return Committed(
            begun.publish { _, _ in }, events: begun.events + other.events, revoked: begun.revoked + other.revoked)
    }

    private static func beginning(
        _ statements: [Statement], _ start: SessionStart, _ end: SessionChange.End, _ events: [SecurityEvent],
        _ result: WorkResult<Committed<Claims>?>
    ) -> PostgresStep {
        .write(
            statements,
            then: { rows in
                let (begun, claims) = (rows.suffix(3).dropLast(), rows[rows.count - 1])
                let hasBegun = rows[rows.count - 3].count > 0
                result.value = hasBegun ? committed(Array(begun), claims, end, events) : .some(nil)
                return .done
            },
            // The id is random: a session that exists is this one. The feed announces what it has ended.
            ifUnknown: version(of: start.session.id) { version in
                guard version != nil else { return beginning(statements, start, end, events, result) }
                return .read([statements[statements.count - 1]]) { rows in
                    result.value = Committed(claims(rows[0]), events: events)
                    return .done
                }
            })
    }

    private static func committed(
        _ begun: [Rows], _ claims: Rows, _ end: SessionChange.End, _ events: [SecurityEvent]
    ) -> Committed<Claims> {
        // The first row stands for the new session, the others are what it has ended.
        let ended = SessionChange.Ended(begun, at: end.time)
        return Committed(
            self.claims(claims), events: events + ended.events.dropFirst(), revoked: Array(ended.revoked.dropFirst()))
    }

    /// A document that cannot be read is no claim: a login must not fail because of it.
    private static func claims(_ rows: Rows) -> Claims {
        let document = rows.first?.optionalBytes(0)
        return document.flatMap { try? DocumentDecoder.decode(Claims.self, from: $0) } ?? .empty
    }

    /// The condition on the row of the parent that `Session.admits` is.
    private static func admission(of child: Session, _ text: inout StatementText) -> String {
        guard let point = child.details.handedOver?.point else { return "TRUE" }
        let latest = point.isProvisional ? Int64(point.generation) : Int64.max
        return """
            \(SessionRow.handOverEpoch) = \(text.bind(.int(Int64(point.epoch)))) AND generation <= \(text.bind(.int(latest)))
            """
    }

    /// One statement that begins the session if it may, and returns a row for it and one for each session that it
    /// ended.
    private func beginning(
        _ start: SessionStart, _ end: SessionChange.End, recording events: [SecurityEvent]
    ) throws -> Statement {
        var text = StatementText()
        let session = start.session
        let values = try SessionRow.values(session).map { text.bind($0) }
        let (id, subject, createdAt) = (values[0], values[1], values[3])
        let parent = "\(values[values.count - 1])::text"
        let credential = text.bind(.int(start.credentialVersion.map(Int64.init)))
        let replaced = "\(text.bind(.text(start.replacing?.rawValue)))::text"
        let idle = text.bind(.int((end.time - start.policy.idleLifetime).milliseconds))
        let admission = Self.admission(of: session, &text)
        let excess = """
            excess AS (
                SELECT id FROM cloakroom.sessions
                WHERE revoked_at IS NULL AND subject = \(subject) AND id <> \(id) AND id IS DISTINCT FROM \(replaced)
                    AND parent IS NOT DISTINCT FROM \(parent)
                    AND expires_at > \(createdAt) AND last_seen_at > \(idle)
                ORDER BY last_seen_at DESC, created_at DESC, id
                LIMIT \(SessionStart.endedAtMost) OFFSET \(text.bind(.int(Int64(start.maximumSessions - 1)))))
            """
        let sql = """
            WITH begun AS (
                INSERT INTO cloakroom.sessions (\(SessionRow.columns), version)
                SELECT \(values.joined(separator: ", ")), \(text.bind(.int(end.version)))
                FROM cloakroom.subjects
                WHERE subject = \(subject) AND NOT blocked AND (\(credential)::int8 IS NULL OR EXISTS (
                    SELECT FROM cloakroom.accounts
                    WHERE subject = \(subject) AND NOT disabled AND credential_version = \(credential)))
                    AND (\(parent) IS NULL OR EXISTS (
                    SELECT FROM cloakroom.sessions WHERE id = \(parent) AND subject = \(subject)
                    AND revoked_at IS NULL AND expires_at > \(createdAt) AND last_seen_at > \(idle)
                    AND \(admission)))
                RETURNING id, subject),
            \(try claimsAndNetwork(start, subject: subject, at: createdAt, &text)), \(excess),
            \(try SessionChange.parts(
                ending: """
                    subject = \(subject) AND EXISTS (SELECT FROM begun) AND id IN (
                    SELECT id FROM excess UNION ALL SELECT \(replaced))
                    """, end,
                reason: """
                    CASE WHEN s.id = \(replaced) THEN '\(RevocationReason.replaced.rawValue)'
                    ELSE '\(RevocationReason.tooManySessions.rawValue)' END
                    """, self.events, &text))\(try self.events.insertion(of: events, if: "begun", &text))
            SELECT id, subject, reason FROM (
                SELECT id, subject, '' AS reason, 0 AS place FROM begun
                UNION ALL SELECT id, subject, reason, CASE WHEN id = \(replaced) THEN 1 ELSE 2 END FROM ended) AS rows
            ORDER BY place, id
            """
        return Statement(sql, text.values, months: EventRows.months(events).union([EventMonth(of: end.time)]))
    }

    private func claimsAndNetwork(
        _ start: SessionStart, subject: String, at createdAt: String, _ text: inout StatementText
    ) throws -> String {
        let network = "\(text.bind(.text(start.network.rawValue)))::text"
        var parts = """
            seen AS (
                INSERT INTO cloakroom.known_networks (subject, network, seen_at)
                SELECT subject, \(network), \(createdAt) FROM begun
                ON CONFLICT (subject, network) DO UPDATE SET seen_at = excluded.seen_at),
            forgotten AS (
                DELETE FROM cloakroom.known_networks WHERE subject = \(subject) AND EXISTS (SELECT FROM begun)
                AND network IN (
                    SELECT network FROM cloakroom.known_networks WHERE subject = \(subject) AND network <> \(network)
                    ORDER BY seen_at DESC, network OFFSET \(NetworkAddress.rememberedPerSubject - 1)))
            """
        if let claims = start.claims {
            parts += """
                , claimed AS (
                    UPDATE cloakroom.subjects SET claims = \(text.bind(.bytes(try claims.document)))
                    WHERE subject = \(subject) AND EXISTS (SELECT FROM begun))
                """
        }
        return parts
    }
}

extension Claims {
    /// nil for no claims.
    var document: [UInt8]? {
        get throws { self == .empty ? nil : Array(try JSONEncoder().encode(self)) }
    }
}

/// Lets one transaction at a time decide about a subject: a login must not begin a session beside a transaction that
/// blocks the subject, or that ends all of its sessions.
enum SubjectLock {
    /// The row of the subject is locked. It is made first, because a row that does not exist cannot be locked.
    static func statements(_ subject: Subject) -> [Statement] {
        [
            Statement(
                "INSERT INTO cloakroom.subjects (subject) VALUES ($1) ON CONFLICT (subject) DO NOTHING",
                [.text(subject.rawValue)]),
            Statement(
                "SELECT 1 FROM cloakroom.subjects WHERE subject = $1 FOR UPDATE", [.text(subject.rawValue)]),
        ]
    }

    /// The parent of a new session is locked against a transaction that ends it: that one then ends the new session,
    /// too.
    static func statements(parent: SessionID?) -> [Statement] {
        guard let parent else { return [] }
        return [Statement("SELECT 1 FROM cloakroom.sessions WHERE id = $1 FOR SHARE", [.text(parent.rawValue)])]
    }
}
