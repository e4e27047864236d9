// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    private static let longestPage = 5000

    public func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await feed.perform("") { reading(after: cursor, $0) }
    }

    /// The rows are read in the transaction that makes a write. A standby that had been promoted before would not have
    /// acknowledged that write, so no other server had committed anything when the rows were read (with synchronous
    /// replication).
    public func currentRevocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await feed.perform("") { proving(after: cursor, $0) }
    }

    private func reading(after cursor: FeedCursor?, _ result: WorkResult<FeedPage>) -> PostgresStep {
        let sent = server.clock.uptime()
        return .read([Self.page(after: cursor)]) { [self] in take($0[0], after: cursor, sent: sent, result) }
    }

    private func proving(after cursor: FeedCursor?, _ result: WorkResult<FeedPage>) -> PostgresStep {
        let sent = server.clock.uptime()
        return .write(
            [heartbeat, Self.page(after: cursor)], then: { [self] in take($0[1], after: cursor, sent: sent, result) },
            // A read of nothing leads back here.
            ifUnknown: .read([]) { [self] _ in proving(after: cursor, result) })
    }

    /// Takes a page, or reads the first one if the cursor is of another history.
    /// - Parameter sent: when the statement was sent, by the `uptime` of the clock.
    private func take(
        _ rows: Rows, after cursor: FeedCursor?, sent: Int64, _ result: WorkResult<FeedPage>
    ) -> PostgresStep {
        let epoch = rows.first?.int(3) ?? 0
        if let time = rows.first?.instant(8) { server.clock.take(time, sent: sent) }
        guard let cursor else {
            result.value = Self.page(rows, epoch, after: .start, isStart: true)
            return .done
        }
        let place = cursor.place
        guard cursor.position(in: epoch) != nil, let place, !place.isAhead(of: Snapshot(rows[0], 4)) else {
            return reading(after: nil, result)
        }
        result.value = Self.page(rows, epoch, after: place, isStart: false)
        return .done
    }

    private static func page(after cursor: FeedCursor?) -> Statement {
        let place = cursor?.place ?? .start
        var text = StatementText()
        let mark = "('m' || time || ' ' || subject)"
        // Each table returns one page in the order of an index: a million entries are not sorted for each page.
        let rows = """
            (SELECT 'r' || session AS key, session, NULL AS subject, time, xid FROM cloakroom.revocations
            WHERE \(place.visibility(&text)) AND \(place.laterSessions(&text))
            ORDER BY xid, session LIMIT \(longestPage))
            UNION ALL (SELECT \(mark), NULL, subject, time, xid FROM cloakroom.stale_marks
            WHERE \(place.condition(mark, &text)) ORDER BY xid, \(mark) COLLATE "C" LIMIT \(longestPage))
            """
        return place.page(
            of: rows,
            columns:
                "\(Epochs.newest), pg_current_snapshot()::text, page.session, page.subject, page.time, \(StoreClock.sql)",
            limit: longestPage, &text)
    }

    private static func page(_ rows: Rows, _ epoch: Int64, after place: SnapshotCursor, isStart: Bool) -> FeedPage {
        let entries = rows.map { $0 }.filter { $0.optionalText(1) != nil }
        // An old snapshot sees no more than a new one, and the same cursor says that nothing has happened.
        let isStill = entries.isEmpty && place.reading == nil && !isStart
        let next = isStill ? place : place.next(rows, limit: longestPage)
        return FeedPage(
            isStart: isStart,
            revoked: entries.compactMap { row in
                row.optionalText(5).map { Revoked(session: SessionID($0), time: row.instant(7)) }
            },
            stale: entries.compactMap { row in
                row.optionalText(6).map { StaleMark(subject: Subject($0), time: row.instant(7)) }
            },
            cursor: FeedCursor(epoch: epoch, position: next.text),
            resumption: FeedCursor(epoch: epoch, position: next.shortened.text))
    }
}

extension FeedCursor {
    /// nil if the text after the epoch is malformed.
    fileprivate var place: SnapshotCursor? {
        guard let start = rawValue.firstIndex(of: "-") else { return nil }
        return SnapshotCursor(exactly: String(rawValue[rawValue.index(after: start)...]))
    }
}

extension SnapshotCursor {
    /// The rows that come after this position.
    /// - Parameter key: an SQL expression that orders the rows of one transaction.
    func condition(_ key: String, _ text: inout StatementText) -> String {
        var parts = [visibility(&text)]
        if let reading {
            let (transaction, last) = (text.bind(.text(reading.transaction)), text.bind(.text(reading.key)))
            parts += [
                "xid >= \(transaction)::xid8", "(xid > \(transaction)::xid8 OR (\(key)) COLLATE \"C\" > \(last))",
            ]
        }
        return parts.joined(separator: " AND ")
    }

    /// The rows that this read returns, those of earlier pages included.
    func visibility(_ text: inout StatementText) -> String {
        let seen = "\(text.bind(.text(seen.text)))::pg_snapshot"
        return """
            xid >= pg_snapshot_xmin(\(seen)) AND NOT pg_visible_in_snapshot(xid, \(seen))
            AND pg_visible_in_snapshot(xid, \(until(&text)))
            """
    }

    /// The revocations after the previous page, by the index of both columns. The key of a revocation is `r` and the
    /// session; those of the marks come before all of them.
    func laterSessions(_ text: inout StatementText) -> String {
        guard let reading else { return "TRUE" }
        let last = reading.key.hasPrefix("r") ? String(reading.key.dropFirst()) : ""
        return "(xid, session) > (\(text.bind(.text(reading.transaction)))::xid8, \(text.bind(.text(last))))"
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
