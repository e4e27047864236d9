import CloakroomCore
import CloakroomStores

/// Statements that change what belongs to a subject, and end its sessions with it.
enum SubjectChange {
    /// Returns a row for the subject, and one for each session that ended.
    /// - Parameter guardian: the part of the `WITH` that has a row if the change was made.
    static func selection(of guardian: String) -> String {
        """
        SELECT id, subject, reason FROM (
            SELECT '' AS id, subject, '' AS reason, 0 AS place FROM \(guardian)
            UNION ALL SELECT id, subject, reason, 1 FROM ended) AS rows
        ORDER BY place, id
        """
    }
}

extension PostgresStore {
    /// Makes a change of a subject in a transaction of its own, while no other transaction decides about the subject.
    ///
    /// It may be made twice: its events have ids, and sessions that have ended stay so.
    /// - Parameter statement: returns the rows of `SubjectChange.selection`.
    /// - Returns: nil if the change was not made.
    func change<Value: Sendable>(
        _ subject: Subject, _ statement: Statement, _ events: [SecurityEvent], _ end: SessionChange.End,
        _ value: @Sendable (Rows) -> Value
    ) async throws -> Committed<Value>? {
        var statement = statement
        statement.months = EventRows.months(events).union([EventMonth(of: end.time)])
        let children = try SessionChange.endOfChildren(of: .ofSubject(subject), at: end.time, self.events)
        let statements = SubjectLock.statements(subject) + [statement, children]
        return try await withoutActuallyEscaping(value) { value in
            try await subjects.perform("") { [statements] result in
                .repeatable(statements, result) { rows in
                    Self.committed(rows, events, end, value)
                }
            }
        }
    }

    /// - Parameter rows: the last are those of `SubjectChange.selection` and of the children.
    static func committed<Value: Sendable>(
        _ rows: [Rows], _ events: [SecurityEvent], _ end: SessionChange.End, _ value: (Rows) -> Value
    ) -> Committed<Value>? {
        guard rows[rows.count - 2].count > 0 else { return nil }
        let ended = SessionChange.Ended(rows.suffix(2), at: end.time)
        return Committed(
            value(rows[rows.count - 2]), events: events + ended.events.dropFirst(),
            revoked: Array(ended.revoked.dropFirst()))
    }
}
