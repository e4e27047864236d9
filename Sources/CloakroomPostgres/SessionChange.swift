import CloakroomCore
import CloakroomStores

/// The statements that change sessions. Each changes its session, appends to the feed and records the events in one
/// statement, so that nothing of it happens when the session has changed since it was read.
enum SessionChange {
    private static let columns = [
        "generation", "pending", "window_opened_at", "rotated_at", "refresh_key", "stragglers_from", "handed_out_at",
        "reissued", "last_seen_at", "last_seen_day", "revoked_at", "revocation_reason",
    ]

    /// The statement of nearly every renewal: no event, no revocation.
    private static let renewal: String = {
        let changes = columns.enumerated().map { "\($0.element) = $\($0.offset + 4)" }.joined(separator: ", ")
        return """
            UPDATE cloakroom.sessions SET version = $3, \(changes), details = coalesce($\(columns.count + 4), details)
            WHERE id = $1 AND version = $2
            """
    }()

    /// A decision about a session.
    struct Decision {
        let before: SessionRow.Read
        let after: Session
        /// The version that the row gets. It is random: a row that has it was changed by this very write.
        let version = Int64.random(in: 1...Int64.max)
        let events: [SecurityEvent]
        let credentialVersion: Int?

        /// The end of the session, if the decision ends it.
        var revoked: Revoked? {
            guard before.session.revocation == nil, let revocation = after.revocation else { return nil }
            return Revoked(session: after.id, time: revocation.time)
        }

        var changesNothing: Bool { after == before.session && !events.contains(where: \.kind.isRecorded) }
    }

    /// The statement that saves a decision. It affects one row, or none if the session has changed since.
    static func saving(_ decision: Decision, _ events: EventRows) throws -> Statement {
        let isRenewal =
            decision.revoked == nil && decision.credentialVersion == nil
            && !decision.events.contains(where: \.kind.isRecorded)
        if isRenewal { return Statement(renewal, try heading(decision) + values(decision)) }
        var text = StatementText()
        let parts = try self.parts(decision, events, &text)
        return Statement(
            "WITH \(parts) SELECT 1 FROM changed", text.values, months: EventRows.months(decision.events))
    }

    /// The parts of a `WITH` that save a decision. The part `changed` has a row if the session is still as it was read.
    /// - Parameter change: a password change that must still be possible.
    static func parts(
        _ decision: Decision, _ events: EventRows, credentialOf change: PasswordChange? = nil,
        _ text: inout StatementText
    ) throws -> String {
        let names = (try heading(decision)).map { text.bind($0) }
        let changes = zip(columns, SessionRow.changing(decision.after)).map { "\($0) = \(text.bind($1))" }
        let credential = text.bind(.int(decision.credentialVersion.map(Int64.init)))
        let details = text.bind(.bytes(try document(decision)))
        let condition = change.map { change in
            """
            AND EXISTS (
                SELECT FROM cloakroom.accounts WHERE subject = \(text.bind(.text(change.subject.rawValue)))
                AND credential_version = \(text.bind(.int(Int64(change.credentialVersion)))))
            """
        }
        var parts = """
            changed AS (
                UPDATE cloakroom.sessions AS s
                SET version = \(names[2]), \(changes.joined(separator: ", ")), details = coalesce(\(details), details)
                WHERE id = \(names[0]) AND version = \(names[1]) AND (\(credential)::int8 IS NULL OR EXISTS (
                    SELECT FROM cloakroom.accounts
                    WHERE subject = s.subject AND NOT disabled AND credential_version = \(credential)))
                    \(condition ?? "")
                RETURNING id)
            """
        if let revoked = decision.revoked {
            parts += feed(from: "changed", at: text.bind(.int(revoked.time.milliseconds)))
        }
        return parts + (try events.insertion(of: decision.events, if: "changed", &text))
    }

    private static func heading(_ decision: Decision) throws -> [SQLValue] {
        [.text(decision.after.id.rawValue), .int(decision.before.version), .int(decision.version)]
    }

    private static func values(_ decision: Decision) throws -> [SQLValue] {
        SessionRow.changing(decision.after) + [.bytes(try document(decision))]
    }

    /// nil if the document stays as it is.
    private static func document(_ decision: Decision) throws -> [UInt8]? {
        decision.after.details == decision.before.session.details ? nil : try SessionRow.document(decision.after)
    }

    private static func feed(from part: String, at time: String) -> String {
        """
        , feed_\(part) AS (
            INSERT INTO cloakroom.revocations (session, time) SELECT id, \(time)::int8 FROM \(part)
            ON CONFLICT (session) DO NOTHING)
        """
    }

    /// An end of many sessions of one subject.
    struct End {
        let reason: RevocationReason
        let time: Instant
        /// The version that the rows get, by which they are found when it is not known whether the write took effect.
        let version = Int64.random(in: 1...Int64.max)
    }

    /// The parts of a `WITH` that end the live sessions for which `condition` holds. The part `ended` has their `id`,
    /// `subject` and `reason`.
    /// - Parameter reason: an SQL expression over the row `s`; nil for the reason of `end`.
    static func parts(
        ending condition: String, _ end: End, reason: String? = nil, _ events: EventRows, _ text: inout StatementText
    ) throws -> String {
        let (time, version) = (text.bind(.int(end.time.milliseconds)), text.bind(.int(end.version)))
        let reason = reason ?? "\(text.bind(.text(end.reason.rawValue)))::text"
        // The rows are locked in the order of their ids, as in every group.
        return """
            chosen AS MATERIALIZED (
                SELECT id FROM cloakroom.sessions WHERE revoked_at IS NULL AND \(condition) ORDER BY id FOR UPDATE),
            ended AS (
                UPDATE cloakroom.sessions AS s
                SET revoked_at = \(time), revocation_reason = \(reason), version = \(version)
                FROM chosen WHERE s.id = chosen.id AND s.revoked_at IS NULL
                RETURNING s.id, s.subject, s.revocation_reason AS reason,
                    convert_to(json_build_object('reason', s.revocation_reason)::text, 'UTF8') AS details)
            \(feed(from: "ended", at: time))\(events.revocations(of: "ended", at: time))
            """
    }

    /// The sessions whose children are meant.
    enum Parents {
        case these([SessionID])
        case ofSubject(Subject)
    }

    /// Ends the live sessions that were handed over from ended ones.
    ///
    /// It follows the statement that ended the parents, in the same transaction: a statement does not see the sessions
    /// that were handed over while it waited for the lock of their parent.
    static func endOfChildren(of parents: Parents, at time: Instant, _ events: EventRows) throws -> Statement {
        var text = StatementText()
        let scope =
            switch parents {
            case .these(let ids): "parent = ANY (\(text.bind(.texts(ids.map(\.rawValue)))))"
            case .ofSubject(let subject): "subject = \(text.bind(.text(subject.rawValue))) AND parent IS NOT NULL"
            }
        let isEnded = """
            EXISTS (SELECT FROM cloakroom.sessions AS p WHERE p.id = sessions.parent AND p.revoked_at IS NOT NULL)
            """
        let parts = try parts(ending: "\(scope) AND \(isEnded)", childEnd(at: time), events, &text)
        return Statement(
            "WITH \(parts) SELECT id, subject, reason FROM ended ORDER BY id", text.values,
            months: [EventMonth(of: time)])
    }

    /// Ends the live sessions that the saved session `supersedes`. It does nothing if the decision was not saved.
    static func endOfSupersededChildren(_ decision: Decision, _ events: EventRows) throws -> Statement {
        var text = StatementText()
        let parent = decision.after
        let (id, version) = (text.bind(.text(parent.id.rawValue)), text.bind(.int(decision.version)))
        let generation = text.bind(.int(Int64(parent.generation)))
        let epoch = text.bind(.int(Int64(parent.details.handOverEpoch ?? 0)))
        let condition = """
            parent = \(id)
            AND EXISTS (SELECT FROM cloakroom.sessions AS p WHERE p.id = \(id) AND p.version = \(version))
            AND (\(SessionRow.point)->>'generation' = \(generation)::text
                    AND (\(SessionRow.point)->>'epoch')::int8 < \(epoch)::int8
                OR (\(SessionRow.point)->>'isProvisional')::bool
                    AND (\(SessionRow.point)->>'generation')::int8 < \(generation)::int8)
            """
        let time = parent.lastSeenAt
        let parts = try parts(ending: condition, childEnd(at: time), events, &text)
        return Statement(
            "WITH \(parts) SELECT id, subject, reason FROM ended ORDER BY id", text.values,
            months: [EventMonth(of: time)])
    }

    static func childEnd(at time: Instant) -> End { End(reason: .parentEnded, time: time) }

    /// What a statement with the parts above returned for the sessions that it ended.
    struct Ended {
        var revoked: [Revoked] = []
        var events: [SecurityEvent] = []

        init() {}

        /// - Parameter rows: what the statements returned, one after the other.
        init(_ rows: [Rows], at time: Instant) {
            for row in rows.flatMap({ $0.map { $0 } }) {
                let (id, reason) = (SessionID(row.text(0)), RevocationReason(rawValue: row.text(2)))
                revoked.append(Revoked(session: id, time: time))
                events.append(.revocation(of: id, subject: Subject(row.text(1)), reason: reason, at: time))
            }
        }
    }
}
