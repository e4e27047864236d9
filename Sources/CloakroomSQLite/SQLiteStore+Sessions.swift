// What these methods promise stands at `SessionStore` and `UserStore`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomService
public import CloakroomTokens
import GRDB

extension SQLiteStore {
    public func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> [SecurityEvent]? {
        try await commits.write { database in
            let session = start.session
            let isCurrent = try Bool.fetchOne(
                database,
                sql: "SELECT 1 FROM users WHERE subject = ? AND disabled = 0 AND credential_version = ?",
                arguments: [session.subject.rawValue, start.credentialVersion])
            guard isCurrent != nil else { return nil }
            var ends = [try start.replacing.flatMap { try Self.end($0, .replaced, at: session.createdAt, database) }]
            try SessionRow.insert(session, database)
            for id in try Self.sessionsBeyondLimit(start, database) {
                ends.append(try Self.end(id, .tooManySessions, at: session.createdAt, database))
            }
            try KnownNetworks.note(start.network, of: session.subject, at: session.createdAt, database)
            try Events.append(events, database)
            return ends.compactMap { $0 }
        }
    }

    /// Those unused for longest.
    private static func sessionsBeyondLimit(_ start: SessionStart, _ database: Database) throws -> [SessionID] {
        let (session, now) = (start.session, start.session.createdAt)
        // By the index alone: nearly every login ends here.
        let hasMore = try Bool.fetchOne(
            database.cachedStatement(
                sql: "SELECT 1 FROM sessions WHERE revoked_at IS NULL AND subject = ? LIMIT 1 OFFSET ?"),
            arguments: [session.subject.rawValue, start.maximumSessions])
        guard hasMore != nil else { return [] }
        let ids = try String.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT id FROM sessions WHERE revoked_at IS NULL AND subject = ? AND id <> ? AND expires_at > ?
                    AND last_seen_at > ? ORDER BY last_seen_at DESC, created_at DESC, id LIMIT ? OFFSET ?
                    """),
            arguments: [
                session.subject.rawValue, session.id.rawValue, now.milliseconds,
                (now - start.policy.idleLifetime).milliseconds, SessionStart.endedAtMost, start.maximumSessions - 1,
            ])
        return ids.map { SessionID($0) }
    }

    /// Ends one session within a transaction that does more.
    /// - Returns: the event on record; nil when it was not alive.
    private static func end(
        _ id: SessionID, _ reason: RevocationReason, at now: Instant, _ database: Database
    ) throws -> SecurityEvent? {
        let ended = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    UPDATE sessions SET revoked_at = ?, revocation_reason = ? WHERE id = ? AND revoked_at IS NULL
                    RETURNING subject
                    """),
            arguments: [now.milliseconds, reason.rawValue, id.rawValue])
        return try ended.map { try announce(id, of: Subject($0["subject"]), reason, at: now, database) }
    }

    private static func announce(
        _ id: SessionID, of subject: Subject, _ reason: RevocationReason, at now: Instant, _ database: Database
    ) throws -> SecurityEvent {
        let event = SecurityEvent(.revocation, at: now, subject: subject, session: id, detail: reason.rawValue)
        try Feed.append(id, at: now, database)
        try Events.append([event], database)
        return event
    }

    public func update<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Value? {
        try await commits.write { try Self.update(id, $0, decide)?.value }
    }

    public func updateWithOwner<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> (value: Value, owner: User?)? {
        try await commits.write { database in
            guard let (value, session) = try Self.update(id, database, decide) else { return nil }
            return (value, try Self.users("WHERE subject = ?", [session.subject.rawValue], database).first)
        }
    }

    static func update<Value>(
        _ id: SessionID, _ database: Database, _ decide: (inout Session) -> Decided<Value>
    ) throws -> (value: Value, session: Session)? {
        guard let before = try SessionRow.fetch(id, database) else { return nil }
        var after = before
        let decided = decide(&after)
        if after != before { try SessionRow.update(after, from: before, database) }
        if before.revocation == nil, let revocation = after.revocation {
            try Feed.append(id, at: revocation.time, database)
        }
        try Events.append(decided.events, database)
        return (decided.value, after)
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
    ) async throws -> RevocationStep {
        // Looked for outside the transaction: to find few among a million takes long, and writes would wait.
        let ids = try await living(selection, after: position, limit: limit)
        let revoked = try await commits.write { database in
            try ids.filter { try Self.end($0, reason, at: now, database) != nil }
        }
        return RevocationStep(
            revoked: revoked.map { Revoked(session: $0, time: now) }, position: ids.count == limit ? ids.last : nil)
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

    /// Ends every session that is selected, within a transaction that does more.
    static func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, _ database: Database
    ) throws -> [Revoked] {
        let (condition, arguments) = selection.condition
        let ended = try Row.fetchAll(
            database,
            sql: """
                UPDATE sessions SET revoked_at = ?, revocation_reason = ? WHERE revoked_at IS NULL AND \(condition)
                RETURNING id, subject
                """,
            arguments: [now.milliseconds, reason.rawValue] + arguments)
        return try ended.map { row in
            let session = SessionID(row["id"])
            _ = try announce(session, of: Subject(row["subject"]), reason, at: now, database)
            return Revoked(session: session, time: now)
        }
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

    public func revocations(after position: Int64) async throws -> (revoked: [Revoked], position: Int64) {
        try await pool.read { try Feed.read(after: position, $0) }
    }

    public func record(_ events: [SecurityEvent]) async throws {
        try await commits.write { try Events.append(events, $0) }
    }
}

extension SessionSelection {
    /// As SQL, with its arguments.
    fileprivate var condition: (sql: String, arguments: StatementArguments) {
        switch self {
        case .id(let id): ("id = ?", [id.rawValue])
        case .ofSubject(let subject, let except):
            ("subject = ? AND id <> ?", [subject.rawValue, except?.rawValue ?? ""])
        case .createdBefore(let instant): ("created_at < ?", [instant.milliseconds])
        case .all: ("TRUE", [])
        }
    }
}
