// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    private static let longestPage = 5000

    public func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        let place = SnapshotCursor(cursor?.rawValue)
        var text = StatementText()
        let rows = """
            SELECT 'r' || session AS key, session, NULL AS subject, time, xid FROM cloakroom.revocations
            WHERE \(place.condition("'r' || session", &text))
            UNION ALL SELECT 'm' || time || ' ' || subject, NULL, subject, time, xid FROM cloakroom.stale_marks
            WHERE \(place.condition("'m' || time || ' ' || subject", &text))
            """
        let statement = place.page(
            of: rows, columns: "\(Epochs.newest), page.session, page.subject, page.time",
            limit: Self.longestPage, &text)
        return try await sessions.read([statement]) { rows in
            Self.page(rows[0], after: cursor, place)
        }
    }

    private static func page(_ rows: Rows, after cursor: FeedCursor?, _ place: SnapshotCursor) -> FeedPage {
        let entries = rows.map { $0 }.filter { $0.optionalText(1) != nil }
        let next = place.next(rows, limit: longestPage)
        // An old snapshot sees no more than a new one, and the same cursor says that nothing has happened.
        let isStill = entries.isEmpty && place.reading == nil && cursor != nil && place != .start
        return FeedPage(
            epoch: rows.first?.int(3) ?? 0,
            revoked: entries.compactMap { row in
                row.optionalText(4).map { Revoked(session: SessionID($0), time: row.instant(6)) }
            },
            stale: entries.compactMap { row in
                row.optionalText(5).map { StaleMark(subject: Subject($0), time: row.instant(6)) }
            },
            cursor: isStill ? cursor ?? FeedCursor(next.text) : FeedCursor(next.text))
    }
}

extension SnapshotCursor {
    /// The rows that come after this position.
    /// - Parameter key: an SQL expression that orders the rows of one transaction.
    func condition(_ key: String, _ text: inout StatementText) -> String {
        let seen = "\(text.bind(.text(seen.text)))::pg_snapshot"
        var parts = [
            "xid >= pg_snapshot_xmin(\(seen))", "NOT pg_visible_in_snapshot(xid, \(seen))",
            "pg_visible_in_snapshot(xid, \(until(&text)))",
        ]
        if let reading {
            let (transaction, last) = (text.bind(.text(reading.transaction)), text.bind(.text(reading.key)))
            parts += [
                "xid >= \(transaction)::xid8", "(xid > \(transaction)::xid8 OR (\(key)) COLLATE \"C\" > \(last))",
            ]
        }
        return parts.joined(separator: " AND ")
    }

    /// The snapshot with which the read ends. It hides what a restored dump brings from numbers that are still to come.
    private func until(_ text: inout StatementText) -> String {
        reading.map { "\(text.bind(.text($0.until.text)))::pg_snapshot" } ?? "pg_current_snapshot()"
    }

    /// A statement that reads one page.
    ///
    /// Its first columns are the snapshot with which the read ends, the transaction and the key of the row, or NULL in
    /// the only row if there is none; then `columns`. The snapshot must come from the statement that reads the rows.
    /// - Parameter rows: a selection with the columns `xid` and `key`.
    func page(of rows: String, columns: String, limit: Int, _ text: inout StatementText) -> Statement {
        Statement(
            """
            SELECT \(until(&text))::text, page.xid::text, page.key, \(columns)
            FROM (SELECT 1) AS always LEFT JOIN (
                SELECT * FROM (\(rows)) AS rows ORDER BY xid, key COLLATE "C" LIMIT \(text.bind(.int(Int64(limit))))
            ) AS page ON TRUE ORDER BY page.xid, page.key COLLATE "C"
            """, text.values)
    }

    /// The position after a page.
    func next(_ rows: Rows, limit: Int) -> Self {
        guard rows.count > 0 else { return self }
        let last = rows[rows.count - 1]
        let until = Snapshot(last, 0)
        guard rows.count == limit, let transaction = last.optionalText(1) else {
            return Self(seen: until, reading: nil)
        }
        return Self(seen: seen, reading: Reading(until: until, transaction: transaction, key: last.text(2)))
    }
}
