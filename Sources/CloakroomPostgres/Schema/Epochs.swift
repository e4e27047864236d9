import Foundation

/// The histories of the database, newest last. The feed names the newest as its epoch.
///
/// A promoted standby continues another timeline, in which the numbers of lost transactions are given out again, and a
/// dump that was restored into a new cluster starts its numbers over. In both cases readers of the feed must start
/// again.
enum Epochs {
    /// The key of the advisory lock under which instances change what all of them share. It spells `Clkr`.
    static let lock = Statement("SELECT pg_advisory_xact_lock(1131178866)")

    static let newest = "(SELECT id FROM cloakroom.epochs ORDER BY number DESC LIMIT 1)"

    /// Appends an epoch, unless the newest one is of this server.
    /// - Returns: false while there are no tables.
    static func record(_ connection: PostgresConnection) throws -> Bool {
        let exists = try connection.transaction([Schema.exists("epochs")])
        guard exists[0].first?.bool(0) == true else { return false }
        let restamp = ["revocations", "stale_marks", "events"].map { table in
            // In a restored dump, rows have numbers of transactions that are still to come: a snapshot would not see
            // them.
            Statement(
                """
                UPDATE cloakroom.\(table) SET xid = pg_current_xact_id()
                WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
                """)
        }
        _ = try connection.transaction(
            [lock]
                + [
                    Statement(
                        """
                        INSERT INTO cloakroom.epochs (number, id, system, timeline)
                        SELECT newest.number + 1, $1, $2, $3
                        FROM (SELECT coalesce(max(number), 0) AS number FROM cloakroom.epochs) AS newest
                        WHERE NOT EXISTS (
                            SELECT FROM cloakroom.epochs
                            WHERE number = newest.number AND system = $2 AND timeline = $3)
                        """,
                        [
                            .int(Int64.random(in: 1...Int64.max)), .text(connection.system), .int(connection.timeline),
                        ])
                ] + restamp)
        return true
    }
}
