import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let eventChecks = [
        check("every mutation records the events that it returns, and announces the sessions that it ended") { store in
            var (events, revoked): ([SecurityEvent], [Revoked]) = ([], [])
            for step in mutations {
                try await step(store).publish { newEvents, newlyRevoked in
                    events += newEvents
                    revoked += newlyRevoked
                }
                try demand(
                    try await record(of: store) == events.filter(\.kind.isRecorded), "the record after \(events)")
                try demand(try await store.revocations(after: nil).revoked == revoked, "the feed after \(events)")
            }
            let kinds = Set(events.map(\.kind))
            try demand(
                kinds == [.signUp, .login, .renewal, .revocation, .passwordChange, .accountDisabled], "\(kinds)")
            try demand(revoked.map(\.session.rawValue) == ["a", "b", "c", "d"], "\(revoked)")
        },
        check("the record is read in pages, each event once, selected by user, session, kind and time") { store in
            let events = (0..<7).map { index in
                SecurityEvent(
                    index % 2 == 0 ? .login : .revocation, at: now + .seconds(Int64(index)),
                    subject: Subject("u_\(index % 3)"), session: SessionID("s\(index)"), address: "192.0.2.1",
                    details: .init(reason: .logout, generation: index, payer: .network, count: 2, epoch: 3))
            }
            _ = try await store.record(events)
            let queries: [(EventQuery, [Int])] = [
                (EventQuery(), Array(0..<7)), (EventQuery(subject: Subject("u_1")), [1, 4]),
                (EventQuery(session: SessionID("s5")), [5]), (EventQuery(kinds: [.login]), [0, 2, 4, 6]),
                (EventQuery(since: now + .seconds(5)), [5, 6]), (EventQuery(until: now + .seconds(1)), [0]),
                (EventQuery(subject: Subject("u_0"), kinds: [.revocation], since: now), [3]),
            ]
            for (query, expected) in queries {
                let found = try await record(of: store, query)
                try demand(found == expected.map { events[$0] }, "\(query): \(found)")
            }
        },
    ]

    private static func record(
        of store: any Store, _ query: EventQuery = EventQuery()
    ) async throws -> [SecurityEvent] {
        var (events, cursor): ([SecurityEvent], EventCursor?) = ([], nil)
        while true {
            let page = try await store.events(query, after: cursor, limit: 2)
            guard !page.events.isEmpty else { return events }
            events += page.events
            cursor = page.cursor
        }
    }

    private typealias Mutation = @Sendable (any Store) async throws -> Committed<Void>

    /// One mutation of each kind, on the account of Ann.
    private static let mutations: [Mutation] = [
        { try await done($0.add(account("ann"), recording: [event(.signUp)])) },
        { try await done($0.begin(start("a"), recording: [event(.login)])) },
        { try await done($0.begin(start("b", replacing: "a"), recording: [event(.login)])) },
        { store in
            try await done(store.update(SessionID("b")) { _ in Decided((), recording: [event(.renewal)]) })
        },
        { store in
            try await done(
                store.changePassword(change(0), by: SessionID("b")) { session in
                    session.revoke(.logout, at: now)
                    return (Decided((), recording: [event(.passwordChange)]), false)
                })
        },
        { try await done($0.begin(start("c"), recording: [event(.login)])) },
        { try await done($0.begin(start("d"), recording: [event(.login)])) },
        { store in
            let step = try await store.revoke(.id(SessionID("c")), reason: .endedByUser, at: now, after: nil, limit: 9)
            return Committed((), events: step.events, revoked: step.revoked)
        },
        { try await done($0.setPassword(change(0), recording: [event(.passwordChange)])) },
        { try await done($0.setDisabled(true, Subject("u_ann"), recording: [event(.accountDisabled)], at: now)) },
        { try await $0.record([event(.login), event(.renewal)]) },
    ]

    private static func done(_ committed: Committed<Void>?) throws -> Committed<Void> {
        guard let committed else { throw Violation(description: "the mutation did nothing") }
        return committed
    }

    private static func event(_ kind: SecurityEvent.Kind) -> SecurityEvent {
        SecurityEvent(kind, at: now, subject: Subject("u_ann"))
    }

    private static func start(_ id: String, replacing: String? = nil) -> SessionStart {
        SessionStart(
            session(id), credentialVersion: 0, replacing: replacing.map { SessionID($0) }, maximumSessions: 9,
            policy: policy)
    }

    private static func change(_ version: Int) -> PasswordChange {
        PasswordChange(
            subject: Subject("u_ann"), credentialVersion: version, hash: PasswordHash(phc: "new"), time: now)
    }
}
