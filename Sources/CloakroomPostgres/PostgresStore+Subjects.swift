// `SubjectStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    public func setClaims(
        _ change: ClaimsChange, recording events: [SecurityEvent]
    ) async throws -> Committed<StaleMark?> {
        var text = StatementText()
        let (subject, claims) = (
            text.bind(.text(change.subject.rawValue)), text.bind(.bytes(try change.claims.document))
        )
        var sql = """
            WITH claimed AS (
                INSERT INTO cloakroom.subjects (subject, claims) VALUES (\(subject), \(claims))
                ON CONFLICT (subject) DO UPDATE SET claims = excluded.claims RETURNING subject)
            \(try self.events.insertion(of: events, if: "claimed", &text))
            """
        if let mark = change.mark {
            sql += """
                , mark AS (
                    INSERT INTO cloakroom.stale_marks (subject, time)
                    SELECT subject, \(text.bind(.int(mark.time.milliseconds))) FROM claimed ON CONFLICT DO NOTHING)
                """
        }
        let statement = Statement("\(sql) SELECT 1 FROM claimed", text.values, months: EventRows.months(events))
        try await sessions.perform("subjects \(change.subject)") { .repeatable([statement], $0) { _ in } }
        return Committed(change.mark, events: events)
    }

    public func setBlocked(
        _ isBlocked: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void> {
        let end = SessionChange.End(reason: .subjectBlocked, time: now)
        var text = StatementText()
        let name = text.bind(.text(subject.rawValue))
        let sql = """
            WITH switched AS (
                UPDATE cloakroom.subjects SET blocked = \(text.bind(.bool(isBlocked)))
                WHERE subject = \(name) RETURNING subject)
            \(try self.events.insertion(of: events, if: "switched", &text)),
            \(try SessionChange.parts(
                ending: "subject = \(name) AND \(isBlocked)", end, self.events, &text))
            \(SubjectChange.selection(of: "switched"))
            """
        let committed = try await change(subject, Statement(sql, text.values), events, end) { _ in }
        return committed ?? Committed((), events: events)
    }

    public func isBlocked(_ subject: Subject) async throws -> Bool {
        let statement = Statement(
            "SELECT blocked FROM cloakroom.subjects WHERE subject = $1", [.text(subject.rawValue)])
        return try await sessions.read([statement]) { $0[0].first?.bool(0) ?? false }
    }
}
