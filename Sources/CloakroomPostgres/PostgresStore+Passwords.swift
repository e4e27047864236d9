// `AccountStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    public func setPassword(
        _ change: PasswordChange, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        let end = SessionChange.End(reason: .passwordChanged, time: change.time)
        var text = StatementText()
        let subject = text.bind(.text(change.subject.rawValue))
        let sql = """
            WITH \(Self.newPassword(change, subject, if: "TRUE", &text))
            \(try self.events.insertion(of: events, if: "password", &text)),
            \(try SessionChange.parts(
                ending: "subject = \(subject) AND EXISTS (SELECT FROM password)", end, self.events, &text))
            \(SubjectChange.selection(of: "password"))
            """
        let months = EventRows.months(events).union([EventMonth(of: end.time)])
        let statements =
            SubjectLock.statements(change.subject)
            + [
                Statement(sql, text.values, months: months),
                try SessionChange.endOfChildren(of: .ofSubject(change.subject), at: end.time, self.events),
            ]
        return try await subjects.perform("") { Self.setting(change, statements, events, end, $0) }
    }

    private static func setting(
        _ change: PasswordChange, _ statements: [Statement], _ events: [SecurityEvent], _ end: SessionChange.End,
        _ result: WorkResult<Committed<Void>?>
    ) -> PostgresStep {
        .write(
            statements,
            then: { rows in
                result.value = .some(committed(rows, events, end) { _ in })
                return .done
            },
            ifUnknown: isSet(change) { isSet in
                guard isSet else { return setting(change, statements, events, end, result) }
                result.value = Committed((), events: events)
                return .done
            })
    }

    /// Reads whether the account has the new hash. A hash has a random salt: one that is equal is this one.
    private static func isSet(_ change: PasswordChange, _ then: @escaping (Bool) -> PostgresStep) -> PostgresStep {
        let statement = Statement(
            "SELECT 1 FROM cloakroom.accounts WHERE subject = $1 AND password_hash = $2",
            [.text(change.subject.rawValue), .text(change.hash.text)])
        return .read([statement]) { then($0[0].count == 1) }
    }

    public func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> Committed<Value>? {
        try await withoutActuallyEscaping(decide) { decide in
            try await subjects.perform("") { [events] result in
                Self.changing(change, by: session, events, decide, result)
            }
        }
    }

    private static func changing<Value: Sendable>(
        _ change: PasswordChange, by id: SessionID, _ events: EventRows,
        _ decide: @escaping @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool),
        _ result: WorkResult<Committed<Value>?>
    ) -> PostgresStep {
        let again = PostgresStep.read([]) { _ in changing(change, by: id, events, decide, result) }
        let isCurrent = Statement(
            "SELECT 1 FROM cloakroom.accounts WHERE subject = $1 AND credential_version = $2",
            [.text(change.subject.rawValue), .int(Int64(change.credentialVersion))])
        return .read([SessionRow.selection(id, checking: nil), isCurrent]) { rows in
            guard rows[1].count == 1, let read = try rows[0].first.map(SessionRow.Read.init) else {
                result.value = .some(nil)
                return .done
            }
            var after = read.session
            let (decided, agrees) = decide(&after)
            if agrees { after.withdrawCodes() }
            let decision = SessionChange.Decision(
                before: read, after: after, events: decided.events, credentialVersion: nil)
            let end = SessionChange.End(reason: .passwordChanged, time: change.time)
            let statement = try saving(decision, change, agrees: agrees, end, events)
            let children = try SessionChange.endOfChildren(
                of: .ofSubject(change.subject), at: end.time, events)
            let own = decision.revoked.map { [$0] } ?? []
            return .write(
                SubjectLock.statements(change.subject) + [statement, children],
                then: { rows in
                    guard rows[rows.count - 2].count > 0 else { return again }
                    let ended = SessionChange.Ended(rows.suffix(2), at: end.time)
                    result.value = Committed(
                        decided.value, events: decided.events + ended.events.dropFirst(),
                        revoked: own + ended.revoked.dropFirst())
                    return .done
                },
                ifUnknown: version(of: id) { version in
                    guard version == decision.version else { return again }
                    result.value = Committed(decided.value, events: decided.events, revoked: own)
                    return .done
                })
        }
    }

    /// Saves the decision about the session if the credential is still the one that was checked, and the password with
    /// it if the decision agrees.
    private static func saving(
        _ decision: SessionChange.Decision, _ change: PasswordChange, agrees: Bool, _ end: SessionChange.End,
        _ events: EventRows
    ) throws -> Statement {
        var text = StatementText()
        let subject = text.bind(.text(change.subject.rawValue))
        let kept = text.bind(.text(decision.after.id.rawValue))
        let saved = try SessionChange.parts(decision, events, credentialOf: change, &text)
        let sql = """
            WITH \(saved), \(newPassword(change, subject, if: "\(agrees) AND EXISTS (SELECT FROM changed)", &text)),
            \(try SessionChange.parts(
                ending: """
                    \(SessionSelection.condition(of: subject, except: kept))
                    AND \(agrees) AND EXISTS (SELECT FROM changed)
                    """, end,
                events, &text))
            SELECT id, subject, reason FROM (
                SELECT id, '' AS subject, '' AS reason, 0 AS place FROM changed
                UNION ALL SELECT id, subject, reason, 1 FROM ended) AS rows
            ORDER BY place, id
            """
        return Statement(
            sql, text.values, months: EventRows.months(decision.events).union([EventMonth(of: end.time)]))
    }

    /// The part `password` of a `WITH`: it has a row if the password was set.
    private static func newPassword(
        _ change: PasswordChange, _ subject: String, if condition: String, _ text: inout StatementText
    ) -> String {
        """
        password AS (
            UPDATE cloakroom.accounts
            SET password_hash = \(text.bind(.text(change.hash.text))), credential_version = credential_version + 1
            WHERE subject = \(subject) AND credential_version = \(text.bind(.int(Int64(change.credentialVersion))))
                AND \(condition)
            RETURNING subject)
        """
    }
}
