// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    public func record(_ events: [SecurityEvent]) async throws -> Committed<Void> {
        var text = StatementText()
        let parts = try self.events.insertion(of: events, if: "always", &text)
        guard !parts.isEmpty else { return Committed((), events: events) }
        let statement = Statement(
            "WITH always AS (SELECT 1)\(parts) SELECT 1", text.values, months: EventRows.months(events))
        try await sessions.perform("") { .repeatable([statement], $0) { _ in } }
        return Committed((), events: events)
    }

    public func events(_ query: EventQuery, after cursor: EventCursor?, limit: Int) async throws -> EventPage {
        let place = SnapshotCursor(cursor?.rawValue)
        var text = StatementText()
        let key = "lpad(ordinal::text, 9, '0') || id::text"
        let rows = """
            SELECT \(EventRows.columns), xid, \(key) AS key FROM cloakroom.events
            WHERE \(place.condition(key, &text)) \(query.condition(&text))
            """
        let statement = place.page(
            of: rows, columns: EventRows.columns.split(separator: ", ").map { "page.\($0)" }.joined(separator: ", "),
            limit: limit, &text)
        return try await queries.read([statement]) { rows in
            let events = rows[0].map { $0 }.filter { $0.optionalText(1) != nil }.map { EventRows.event($0, from: 3) }
            return EventPage(events: events, cursor: EventCursor(place.next(rows[0], limit: limit).text))
        }
    }

    public func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] {
        // Usually there is none, and this read writes nothing.
        let hasSome = Statement("SELECT EXISTS (SELECT FROM cloakroom.unannounced)")
        guard try await sessions.read([hasSome], { $0[0].first?.bool(0) ?? false }) else { return [] }
        let statement = Statement(
            """
            WITH taken AS (
                DELETE FROM cloakroom.unannounced WHERE id IN (
                    SELECT id FROM cloakroom.unannounced ORDER BY time, ordinal, id LIMIT $1 FOR UPDATE SKIP LOCKED)
                RETURNING *)
            SELECT \(EventRows.columns) FROM taken ORDER BY time, ordinal, id
            """, [.int(Int64(limit))])
        return try await sessions.perform("unannounced") { result in
            .repeatable([statement], result) { rows in rows[0].map { EventRows.event($0) } }
        }
    }
}

extension EventQuery {
    /// The condition as SQL, beginning with AND. Each part has its index only if it stands there alone.
    fileprivate func condition(_ text: inout StatementText) -> String {
        var parts: [String] = []
        if let subject { parts.append("subject = \(text.bind(.text(subject.rawValue)))") }
        if let session { parts.append("session = \(text.bind(.text(session.rawValue)))") }
        if let since { parts.append("time >= \(text.bind(.int(since.milliseconds)))") }
        if let until { parts.append("time < \(text.bind(.int(until.milliseconds)))") }
        if !kinds.isEmpty { parts.append("kind = ANY (\(text.bind(.texts(kinds.map(\.rawValue).sorted()))))") }
        return parts.map { "AND \($0)" }.joined(separator: " ")
    }
}
