// `SessionStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    public func update<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        try await withoutActuallyEscaping(decide) { decide in
            try await sessions.perform(Self.order(id)) { [events] result in
                Self.updating(id, checking: credentialVersion, events, decide, result)
            }
        }
    }

    /// The place of a session among the rows that a group locks.
    static func order(_ id: SessionID) -> String { "sessions \(id.rawValue)" }

    private static func updating<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ events: EventRows,
        _ decide: @escaping @Sendable (inout Session) -> Decided<Value>, _ result: WorkResult<Committed<Value>?>
    ) -> PostgresStep {
        let again = PostgresStep.read([]) { _ in
            updating(id, checking: credentialVersion, events, decide, result)
        }
        return .read([SessionRow.selection(id, checking: credentialVersion)]) { rows in
            guard let read = try rows[0].first.map(SessionRow.Read.init), read.hasCredential else {
                result.value = .some(nil)
                return .done
            }
            var after = read.session
            let decided = decide(&after)
            let decision = SessionChange.Decision(
                before: read, after: after, events: decided.events, credentialVersion: credentialVersion)
            return try saving(decision, events, again: again) { children in
                result.value = Committed(
                    decided.value, events: decided.events + children.events,
                    revoked: (decision.revoked.map { [$0] } ?? []) + children.revoked)
            }
        }
    }

    /// Saves a decision; decides again if the session has changed meanwhile.
    private static func saving(
        _ decision: SessionChange.Decision, _ events: EventRows, again: PostgresStep,
        _ finish: @escaping (_ children: SessionChange.Ended) -> Void
    ) throws -> PostgresStep {
        guard !decision.changesNothing else {
            finish(.init())
            return .done
        }
        var statements = [try SessionChange.saving(decision, events)]
        if let end = decision.revoked {
            statements.append(try SessionChange.endOfChildren(of: .these([end.session]), at: end.time, events))
        } else if decision.after.mayHaveSuperseded(since: decision.before.session) {
            statements.append(try SessionChange.endOfSupersededChildren(decision, events))
        }
        return .write(
            statements,
            then: { rows in
                guard rows[0].changes == 1 else { return again }
                finish(.init(Array(rows.dropFirst()), at: decision.revoked?.time ?? decision.after.lastSeenAt))
                return .done
            },
            ifUnknown: version(of: decision.after.id) { version in
                // The row as it is may also be a later one: then the decision is made again on it.
                guard version == decision.version else { return again }
                finish(.init())
                return .done
            })
    }

    /// Reads the version of a session.
    static func version(of id: SessionID, _ then: @escaping (Int64?) -> PostgresStep) -> PostgresStep {
        let statement = Statement("SELECT version FROM cloakroom.sessions WHERE id = $1", [.text(id.rawValue)])
        return .read([statement]) { then($0[0].first?.int(0)) }
    }

    public func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sighting in sightings {
                group.addTask { [events] in
                    _ =
                        try await self.sessions.perform(Self.order(sighting.session)) { result in
                            Self.updating(
                                sighting.session, checking: nil, events,
                                {
                                    Decided(
                                        $0.confirm(generation: sighting.generation, at: sighting.time, under: policy))
                                },
                                result)
                        } as Committed<Bool>?
                }
            }
            try await group.waitForAll()
        }
    }

    public func session(_ id: SessionID) async throws -> Session? {
        try await sessions.read([SessionRow.selection(id, checking: nil)]) { rows in
            try rows[0].first.map { try SessionRow.Read($0).session }
        }
    }

    public func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session] {
        var text = StatementText()
        let condition = selection.condition(&text)
        let (time, idle) = (page.time, page.time - page.policy.idleLifetime)
        var place = ""
        if let cursor = page.after {
            let (createdAt, id) = (text.bind(.int(cursor.createdAt.milliseconds)), text.bind(.text(cursor.id.rawValue)))
            place = "AND created_at <= \(createdAt) AND (created_at < \(createdAt) OR id > \(id))"
        }
        let sql = """
            SELECT \(SessionRow.columns) FROM cloakroom.sessions
            WHERE revoked_at IS NULL AND \(condition) AND expires_at > \(text.bind(.int(time.milliseconds)))
            AND last_seen_at > \(text.bind(.int(idle.milliseconds))) \(place)
            ORDER BY created_at DESC, id LIMIT \(text.bind(.int(Int64(page.limit))))
            """
        return try await queries.read([Statement(sql, text.values)]) { try $0[0].map(SessionRow.session) }
    }
}

extension SessionSelection {
    /// The condition as SQL.
    func condition(_ text: inout StatementText) -> String {
        switch self {
        case .id(let id): "id = \(text.bind(.text(id.rawValue)))"
        case .ofSubject(let subject, let except):
            Self.condition(of: text.bind(.text(subject.rawValue)), except: text.bind(.text(except?.rawValue)))
        case .family(let root): Self.condition(ofFamily: text.bind(.text(root.rawValue)))
        case .createdBefore(let instant): "created_at < \(text.bind(.int(instant.milliseconds)))"
        case .all: "TRUE"
        }
    }

    /// The sessions of a subject, except one and its parent.
    static func condition(of subject: String, except kept: String) -> String {
        """
        subject = \(subject) AND id IS DISTINCT FROM \(kept)
        AND id IS DISTINCT FROM (SELECT k.parent FROM cloakroom.sessions AS k WHERE k.id = \(kept))
        """
    }

    private static func condition(ofFamily root: String) -> String { "(id = \(root) OR parent = \(root))" }
}
