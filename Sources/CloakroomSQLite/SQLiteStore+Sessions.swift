// What these methods promise stands at `SessionStore` and `UserStore`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomService
public import CloakroomTokens
import GRDB

extension SQLiteStore {
    public func begin(
        _ session: Session, credentialVersion: Int, replacing replaced: SessionID?, recording events: [SecurityEvent]
    ) async throws -> Bool {
        try await commits.write { database in
            let isCurrent = try Bool.fetchOne(
                database,
                sql: "SELECT 1 FROM users WHERE subject = ? AND disabled = 0 AND credential_version = ?",
                arguments: [session.subject.rawValue, credentialVersion])
            guard isCurrent != nil else { return false }
            if let replaced { try Self.end(replaced, at: session.createdAt, database) }
            try SessionRow.insert(session, database)
            try Events.append(events, database)
            return true
        }
    }

    private static func end(_ id: SessionID, at now: Instant, _ database: Database) throws {
        guard let before = try SessionRow.fetch(id, database) else { return }
        var after = before
        guard after.revoke(.replaced, at: now) else { return }
        try SessionRow.update(after, from: before, database)
        try Feed.append(id, at: now, database)
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

    public func sessions(of subject: Subject) async throws -> [Session] {
        try await sessions(.ofSubject(subject, except: nil), limit: .max)
    }

    public func sessions(_ selection: SessionSelection, limit: Int) async throws -> [Session] {
        let (condition, arguments) = selection.condition
        return try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT \(SessionRow.columns) FROM sessions WHERE revoked_at IS NULL AND \(condition)
                    ORDER BY created_at DESC, id LIMIT ?
                    """,
                arguments: arguments + [limit]
            ).map(SessionRow.session)
        }
    }

    public func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant
    ) async throws -> [Revoked] {
        try await commits.write { try Self.revoke(selection, reason: reason, at: now, $0) }
    }

    /// Within a transaction that does more.
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
            try Feed.append(session, at: now, database)
            try Events.append(
                [
                    SecurityEvent(
                        .revocation, at: now, subject: Subject(row["subject"]), session: session,
                        detail: reason.rawValue)
                ], database)
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
