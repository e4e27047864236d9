// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import GRDB

extension SQLiteStore {
    public func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Claims>? {
        try await commits.commit { journal in
            let session = start.session
            guard try Self.isCurrent(start.credentialVersion, of: session.subject, journal.database),
                try !Subjects.isBlocked(session.subject, journal.database),
                try Self.isParentAlive(start, journal.database)
            else { return nil }
            try journal.record(events)
            if let claims = start.claims { try Subjects.set(claims, of: session.subject, journal.database) }
            if let replaced = start.replacing {
                try Self.end(replaced, .replaced, at: session.createdAt, &journal)
            }
            try SessionRow.insert(session, journal.database)
            for id in try Self.sessionsBeyondLimit(start, journal.database) {
                try Self.end(id, .tooManySessions, at: session.createdAt, &journal)
            }
            try KnownNetworks.note(start.network, of: session.subject, at: session.createdAt, journal.database)
            return try Subjects.claims(of: session.subject, journal.database)
        }
    }

    /// Whether the account is enabled and its credential the one that was checked, if one was.
    private static func isCurrent(_ version: Int?, of subject: Subject, _ database: Database) throws -> Bool {
        guard let version else { return true }
        return try Bool.fetchOne(
            database,
            sql: "SELECT 1 FROM accounts WHERE subject = ? AND disabled = 0 AND credential_version = ?",
            arguments: [subject.rawValue, version]) != nil
    }

    private static func isParentAlive(_ start: SessionStart, _ database: Database) throws -> Bool {
        guard let id = start.session.parent else { return true }
        guard let parent = try SessionRow.fetch(id, database) else { return false }
        return parent.subject == start.session.subject
            && parent.isAlive(at: start.session.createdAt, under: start.policy) && parent.admits(start.session)
    }

    /// The live sessions beyond the limit: those that were unused for longest.
    private static func sessionsBeyondLimit(_ start: SessionStart, _ database: Database) throws -> [SessionID] {
        let (session, now) = (start.session, start.session.createdAt)
        // The index alone answers this query, and nearly every login ends here.
        let hasMore = try Bool.fetchOne(
            database.cachedStatement(
                sql: "SELECT 1 FROM sessions WHERE revoked_at IS NULL AND subject = ? LIMIT 1 OFFSET ?"),
            arguments: [session.subject.rawValue, start.maximumSessions])
        guard hasMore != nil else { return [] }
        let ids = try String.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT id FROM sessions WHERE revoked_at IS NULL AND subject = ? AND parent IS ? AND id <> ?
                    AND expires_at > ? AND last_seen_at > ? ORDER BY last_seen_at DESC, created_at DESC, id LIMIT ? OFFSET ?
                    """),
            arguments: [
                session.subject.rawValue, session.parent?.rawValue, session.id.rawValue, now.milliseconds,
                (now - start.policy.idleLifetime).milliseconds, SessionStart.endedAtMost, start.maximumSessions - 1,
            ])
        return ids.map { SessionID($0) }
    }

    /// Ends one session within a larger transaction. It does nothing when the session has ended already.
    private static func end(
        _ id: SessionID, _ reason: RevocationReason, at now: Instant, _ journal: inout Journal
    ) throws {
        let ended = try Row.fetchOne(
            journal.database.cachedStatement(
                sql: """
                    UPDATE sessions SET revoked_at = ?, revocation_reason = ? WHERE id = ? AND revoked_at IS NULL
                    RETURNING subject
                    """),
            arguments: [now.milliseconds, reason.rawValue, id.rawValue])
        guard let ended else { return }
        try journal.announce(id, at: now)
        try journal.record([.revocation(of: id, subject: Subject(ended["subject"]), reason: reason, at: now)])
        try endChildren(of: id, at: now, &journal)
    }

    /// Ends the sessions that were handed over from one that has just ended.
    private static func endChildren(of id: SessionID, at now: Instant, _ journal: inout Journal) throws {
        let children = try String.fetchAll(
            journal.database.cachedStatement(sql: "SELECT id FROM sessions WHERE parent = ? AND revoked_at IS NULL"),
            arguments: [id.rawValue])
        for child in children { try end(SessionID(child), .parentEnded, at: now, &journal) }
    }

    public func update<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        try await commits.commit { try Self.update(id, checking: credentialVersion, &$0, decide) }
    }

    static func update<Value>(
        _ id: SessionID, checking credentialVersion: Int?, _ journal: inout Journal,
        _ decide: (inout Session) -> Decided<Value>
    ) throws -> Value? {
        guard let before = try SessionRow.fetch(id, journal.database),
            try isCurrent(credentialVersion, of: before.subject, journal.database)
        else { return nil }
        var after = before
        let decided = decide(&after)
        if after != before { try SessionRow.update(after, from: before, journal.database) }
        try journal.record(decided.events)
        if before.revocation == nil, let revocation = after.revocation {
            try journal.announce(id, at: revocation.time)
            try endChildren(of: id, at: revocation.time, &journal)
        } else if after.mayHaveSuperseded(since: before) {
            for child in try SessionRow.children(of: id, journal.database) where after.supersedes(child) {
                try end(child.id, .parentEnded, at: after.lastSeenAt, &journal)
            }
        }
        return decided.value
    }

    public func session(_ id: SessionID) async throws -> Session? {
        try await pool.read { try SessionRow.fetch(id, $0) }
    }

    public func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session] {
        let (condition, arguments) = selection.condition
        let cursor = page.after
        let place = cursor == nil ? "" : "AND created_at <= ? AND (created_at < ? OR id > ?)"
        let placeArguments: StatementArguments =
            cursor.map { [$0.createdAt.milliseconds, $0.createdAt.milliseconds, $0.id.rawValue] } ?? []
        return try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT \(SessionRow.columns) FROM sessions
                    WHERE revoked_at IS NULL AND \(condition) AND expires_at > ? AND last_seen_at > ? \(place)
                    ORDER BY created_at DESC, id LIMIT ?
                    """,
                arguments: arguments
                    + [page.time.milliseconds, (page.time - page.policy.idleLifetime).milliseconds] + placeArguments
                    + [page.limit]
            ).map(SessionRow.session)
        }
    }

    public func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> Committed<SessionID?> {
        if position == nil { try await withdrawCodes(ofExceptedBy: selection) }
        // Searches outside of the transaction: to find a few among a million rows takes long, and all writes would
        // wait.
        let ids = try await living(selection, after: position, limit: limit)
        let next = ids.count == limit ? ids.last : nil
        guard !ids.isEmpty else { return Committed(next) }
        let committed = try await commits.commit { journal in
            for id in ids { try Self.end(id, reason, at: now, &journal) }
            return .some(next)
        }
        return committed ?? Committed(next)
    }

    /// Runs before the search, so that no session begins behind it. Writes only if a code was ever made.
    private func withdrawCodes(ofExceptedBy selection: SessionSelection) async throws {
        guard let id = selection.excepted, let excepted = try await session(id),
            var root = try await session(excepted.parent ?? id), root.withdrawCodes()
        else { return }
        _ = try await commits.commit { try Self.withdrawCodes(of: id, $0.database) }
    }

    private static func withdrawCodes(of id: SessionID, _ database: Database) throws {
        guard let excepted = try SessionRow.fetch(id, database),
            let before = try SessionRow.fetch(excepted.parent ?? id, database)
        else { return }
        var after = before
        if after.withdrawCodes() { try SessionRow.update(after, from: before, database) }
    }

    private func living(
        _ selection: SessionSelection, after position: SessionID?, limit: Int
    ) async throws -> [SessionID] {
        let (condition, arguments) = selection.condition
        return try await pool.read { database in
            try String.fetchAll(
                database,
                sql: "SELECT id FROM sessions WHERE revoked_at IS NULL AND \(condition) AND id > ? ORDER BY id LIMIT ?",
                arguments: arguments + [position?.rawValue ?? "", limit]
            ).map { SessionID($0) }
        }
    }

    /// Ends all selected sessions within a larger transaction.
    static func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, _ journal: inout Journal
    ) throws {
        if let id = selection.excepted { try withdrawCodes(of: id, journal.database) }
        let (condition, arguments) = selection.condition
        let ids = try String.fetchAll(
            journal.database, sql: "SELECT id FROM sessions WHERE revoked_at IS NULL AND \(condition)",
            arguments: arguments)
        for id in ids { try end(SessionID(id), reason, at: now, &journal) }
    }

    public func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws {
        // In steps, so that no renewal waits behind all of them.
        for start in stride(from: 0, to: sightings.count, by: Self.step) {
            let step = sightings[start..<min(start + Self.step, sightings.count)]
            try await commits.write { database in
                for sighting in step { try Self.confirm(sighting, under: policy, database) }
            }
        }
    }

    private static let step = 200

    private static func confirm(_ sighting: Sighting, under policy: SessionPolicy, _ database: Database) throws {
        guard let before = try SessionRow.fetch(sighting.session, database) else { return }
        var after = before
        guard after.confirm(generation: sighting.generation, at: sighting.time, under: policy) else { return }
        try SessionRow.update(after, from: before, database)
    }

    public func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await pool.read { try Feed.read(after: cursor, $0) }
    }

    /// No other server can replace this file: what it reads is current.
    public func currentRevocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await revocations(after: cursor)
    }

    public func reassert(_ revoked: [SessionID], at now: Instant) async throws -> Committed<Void> {
        let committed = try await commits.commit { journal -> Void? in
            let missing = try Feed.missing(revoked, journal.database)
            for id in missing { try Self.end(id, .lostInFailover, at: now, &journal) }
            for id in try Feed.missing(missing, journal.database) { try journal.announce(id, at: now) }
        }
        return committed ?? Committed(())
    }

    public func record(_ events: [SecurityEvent]) async throws -> Committed<Void> {
        let committed = try await commits.commit { try $0.record(events) }
        return committed ?? Committed(())
    }

    public func events(_ query: EventQuery, after cursor: EventCursor?, limit: Int) async throws -> EventPage {
        try await pool.read { try Events.read(query, after: cursor, limit: limit, $0) }
    }
}

extension SessionSelection {
    /// The condition as SQL, and its arguments.
    fileprivate var condition: (sql: String, arguments: StatementArguments) {
        switch self {
        case .id(let id): ("id = ?", [id.rawValue])
        case .ofSubject(let subject, let except):
            (
                "subject = ? AND id <> ? AND id IS NOT (SELECT parent FROM sessions WHERE id = ?)",
                [subject.rawValue, except?.rawValue ?? "", except?.rawValue ?? ""]
            )
        case .family(let root): ("(id = ? OR parent = ?)", [root.rawValue, root.rawValue])
        case .createdBefore(let instant): ("created_at < ?", [instant.milliseconds])
        case .all: ("TRUE", [])
        }
    }
}
