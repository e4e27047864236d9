// `SessionStore` documents this method.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore

extension PostgresStore {
    /// How long rows are kept after their end: a late client still gets the reason, and clocks may differ.
    private static let grace = Span.days(1)
    private static let eventRetention = Span.days(90)

    /// Each kind is a transaction of its own. Rows that another transaction has locked are left for the next sweep.
    public func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int {
        let past = now - Self.grace
        let idle = past - policy.idleLifetime
        let feed = (past - policy.accessTokenLifetime).milliseconds
        let old = Int64(limit)
        var count = 0
        for statement in [
            Self.deletion(
                "sessions", key: "id",
                """
                expires_at < $1 OR (parent IS NOT NULL AND revoked_at < $1) OR (last_seen_day <= $2 AND last_seen_at < $3 AND revoked_at IS NULL AND NOT EXISTS (
                    SELECT FROM cloakroom.sessions AS c WHERE c.parent = sessions.id AND c.revoked_at IS NULL)) LIMIT $4
                """,
                [.int(past.milliseconds), .int(SessionRow.day(of: idle)), .int(idle.milliseconds), .int(old)]),
            Self.deletion("revocations", key: "session", "time < $1 LIMIT $2", [.int(feed), .int(old)]),
            Self.deletion("stale_marks", key: "(subject, time)", "time < $1 LIMIT $2", [.int(feed), .int(old)]),
            Self.deletion(
                "one_time", key: "(purpose, digest)", "expires_at <= $1 LIMIT $2", [.int(now.milliseconds), .int(old)]),
            Self.deletion(
                "allowances", key: "name", "restored_at < \(AllowanceWork.clock) LIMIT $1", [.int(old)]),
            Self.deletion("instances", key: "id", "seen_at < now() - interval '1 day' LIMIT $1", [.int(old)]),
        ] {
            count += try await queries.perform("") { .repeatable([statement], $0) { $0[0].changes } }
        }
        return try await count + dropMonths(before: now - Self.eventRetention)
    }

    private static func deletion(
        _ table: String, key: String, _ condition: String, _ values: [SQLValue]
    ) -> Statement {
        let columns = key.filter { $0 != "(" && $0 != ")" }
        return Statement(
            """
            DELETE FROM cloakroom.\(table) WHERE \(key) IN (
                SELECT \(columns) FROM cloakroom.\(table) WHERE \(condition) FOR UPDATE SKIP LOCKED)
            """, values)
    }

    /// Drops the partitions of the record whose events are all older than this.
    /// - Returns: the number of dropped partitions.
    private func dropMonths(before time: Instant) async throws -> Int {
        let children = Statement("SELECT relname::text FROM pg_class WHERE oid IN (\(Self.partitions))")
        let old = try await queries.read([children]) { rows in
            rows[0].map { EventMonth(table: $0.text(0)) }.compactMap { $0 }.filter { $0.next.start <= time }
        }
        var count = 0
        for month in old {
            let statements = [month.removal, Schema.exists(month.table)]
            let isGone = try await queries.perform("") { result in
                .repeatable(statements, result) { $0[1].first?.bool(0) == false }
            }
            if isGone { count += 1 }
        }
        return count
    }

    private static let partitions = "SELECT inhrelid FROM pg_inherits WHERE inhparent = 'cloakroom.events'::regclass"
}
