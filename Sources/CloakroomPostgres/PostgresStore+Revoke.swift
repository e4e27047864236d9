// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    public func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> Committed<SessionID?> {
        if position == nil { try await withdrawCodes(ofExceptedBy: selection) }
        let ids = try await living(selection, after: position, limit: limit)
        let next = ids.count == limit ? ids.last : nil
        let end = SessionChange.End(reason: reason, time: now)
        let steps: [SessionChange.Ended]
        switch selection {
        case .id, .ofSubject, .family: steps = ids.isEmpty ? [] : [try await self.end(ids, end, in: subjects)]
        case .createdBefore, .all: steps = try await endEach(ids, end)
        }
        return Committed(next, events: steps.flatMap(\.events), revoked: steps.flatMap(\.revoked))
    }

    /// Runs before the search, so that no session begins behind it. Writes only if a code was ever made.
    private func withdrawCodes(ofExceptedBy selection: SessionSelection) async throws {
        guard let id = selection.excepted, let excepted = try await session(id),
            var root = try await session(excepted.parent ?? id), root.withdrawCodes()
        else { return }
        _ = try await update(root.id) { session in
            session.withdrawCodes()
            return Decided(())
        }
    }

    /// Ends sessions of several subjects, each in its own transaction: no transaction spans two subjects.
    private func endEach(_ ids: [SessionID], _ end: SessionChange.End) async throws -> [SessionChange.Ended] {
        try await withThrowingTaskGroup(of: (Int, SessionChange.Ended).self) { group in
            for (index, id) in ids.enumerated() {
                group.addTask { (index, try await self.end([id], end, in: self.sessions)) }
            }
            return try await group.reduce(into: [Int: SessionChange.Ended]()) { $0[$1.0] = $1.1 }
                .sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Each session is a transaction of its own: no transaction spans two subjects.
    public func reassert(_ revoked: [SessionID], at now: Instant) async throws -> Committed<Void> {
        let ended = try await endEach(revoked, SessionChange.End(reason: .lostInFailover, time: now))
        let announced = try await withThrowingTaskGroup(of: Revoked?.self) { group in
            for id in revoked { group.addTask { try await self.announce(Revoked(session: id, time: now)) } }
            return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
        }
        return Committed((), events: ended.flatMap(\.events), revoked: ended.flatMap(\.revoked) + announced)
    }

    /// - Returns: nil if the feed has the session.
    private func announce(_ entry: Revoked) async throws -> Revoked? {
        let statement = Statement(
            "INSERT INTO cloakroom.revocations (session, time) VALUES ($1, $2) ON CONFLICT (session) DO NOTHING",
            [.text(entry.session.rawValue), .int(entry.time.milliseconds)])
        return try await sessions.perform(Self.order(entry.session)) {
            .repeatable([statement], $0) { $0[0].changes > 0 ? entry : nil }
        }
    }

    private func living(
        _ selection: SessionSelection, after position: SessionID?, limit: Int
    ) async throws -> [SessionID] {
        var text = StatementText()
        let sql = """
            SELECT id FROM cloakroom.sessions
            WHERE revoked_at IS NULL AND \(selection.condition(&text))
            AND id > \(text.bind(.text(position?.rawValue ?? ""))) ORDER BY id LIMIT \(text.bind(.int(Int64(limit))))
            """
        return try await queries.read([Statement(sql, text.values)], isDecision: true) { rows in
            rows[0].map { SessionID($0.text(0)) }
        }
    }

    /// Ends sessions in one transaction. Sessions that have ended already are skipped.
    func end(
        _ ids: [SessionID], _ end: SessionChange.End, in lane: GroupCommit<PostgresWork>
    ) async throws -> SessionChange.Ended {
        let names = ids.map(\.rawValue)
        var text = StatementText()
        let parts = try SessionChange.parts(
            ending: "id = ANY (\(text.bind(.texts(names))))", end, events, &text)
        var statement = Statement("WITH \(parts) SELECT id, subject, reason FROM ended ORDER BY id", text.values)
        statement.months = [EventMonth(of: end.time)]
        let children = try SessionChange.endOfChildren(of: .these(ids), at: end.time, events)
        let ended = Statement(
            """
            SELECT id, subject, revocation_reason FROM cloakroom.sessions
            WHERE id = ANY ($1) AND version = $2 ORDER BY id
            """, [.texts(names), .int(end.version)])
        let order = ids.count == 1 ? Self.order(ids[0]) : ""
        return try await lane.perform(order) { [statement] result in
            Self.ending([statement, children], end, ended, result)
        }
    }

    private static func ending(
        _ statements: [Statement], _ end: SessionChange.End, _ ended: Statement,
        _ result: WorkResult<SessionChange.Ended>
    ) -> PostgresStep {
        .write(
            statements,
            then: { rows in
                result.value = SessionChange.Ended(rows, at: end.time)
                return .done
            },
            ifUnknown: .read([ended]) { rows in
                // Without a row of this write, it had nothing to end or did not take effect.
                guard rows[0].count > 0 else { return ending(statements, end, ended, result) }
                result.value = SessionChange.Ended(rows, at: end.time)
                return .done
            })
    }
}
