// `SessionStore` documents this method.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
import GRDB

extension SQLiteStore {
    /// How long rows are kept after their end: a late client still gets the reason, and clocks may differ.
    private static let grace = Span.days(1)
    private static let eventRetention = Span.days(90)

    public func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int {
        let past = now - Self.grace
        let idle = past - policy.idleLifetime
        return try await commits.write { database in
            try Self.delete(
                """
                sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ? UNION ALL
                SELECT id FROM sessions WHERE parent IS NOT NULL AND revoked_at < ? UNION ALL
                SELECT id FROM sessions WHERE last_seen_day <= ? AND last_seen_at < ? AND revoked_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM sessions AS child WHERE child.parent = sessions.id AND child.revoked_at IS NULL)
                LIMIT ?)
                """, [past.milliseconds, past.milliseconds, SessionRow.day(of: idle), idle.milliseconds, limit],
                database)
                + Self.delete(
                    """
                    revocations WHERE position IN
                    (SELECT position FROM (SELECT position, time FROM revocations ORDER BY position LIMIT ?)
                    WHERE time < ?)
                    """, [limit, (past - policy.accessTokenLifetime).milliseconds], database)
                + Self.delete(
                    """
                    events WHERE position IN
                    (SELECT position FROM (SELECT position, time FROM events ORDER BY position LIMIT ?) WHERE time < ?)
                    """, [limit, (now - Self.eventRetention).milliseconds], database)
                + Self.delete(
                    """
                    one_time WHERE (purpose, digest) IN
                    (SELECT purpose, digest FROM one_time WHERE expires_at <= ? LIMIT ?)
                    """, [now.milliseconds, limit], database)
        }
    }

    private static func delete(_ what: String, _ arguments: StatementArguments, _ database: Database) throws -> Int {
        try database.execute(sql: "DELETE FROM \(what)", arguments: arguments)
        return database.changesCount
    }
}
