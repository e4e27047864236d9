import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let eventChecks = [
        check("every mutation records the events that it returns, and announces the sessions that it ended") { store in
            var (events, revoked): ([SecurityEvent], [Revoked]) = ([], [])
            for mutation in mutations {
                let committed = try await mutation.step(store)
                let (kinds, ended) = (committed.events.map(\.kind), committed.revoked.map(\.session.rawValue))
                try demand(kinds == mutation.events, "\(mutation.name) hands back the events \(kinds)")
                try demand(ended == mutation.ended, "\(mutation.name) hands back that \(ended) ended")
                events += committed.events
                revoked += committed.revoked
                let saved = try await record(of: store)
                try demand(saved == events.filter(\.kind.isRecorded), "the record after \(mutation.name): \(saved)")
                let feed = try await store.revocations(after: nil).revoked
                try demand(feed == revoked, "the feed after \(mutation.name): \(feed)")
            }
        },
        check("a reader that waits for a rare event begins behind all that it has passed over") { store in
            _ = try await store.record(Array(repeating: event(.login), count: 5))
            let rare = EventQuery(kinds: [.restore])
            let page = try await store.events(rare, after: nil, limit: 2)
            try demand(page.events.isEmpty, "\(page.events)")
            let rest = try await store.events(EventQuery(), after: page.cursor, limit: 9).events
            try demand(rest.isEmpty, "\(rest.count) events are read again")
            _ = try await store.record([event(.login), event(.restore)])
            let next = try await store.events(rare, after: page.cursor, limit: 2).events
            try demand(next == [event(.restore)], "the next page has \(next)")
        },
        check("the kinds and reasons of a newer version stay readable") { store in
            let newer = SecurityEvent(
                SecurityEvent.Kind(rawValue: "of_a_newer_version"), at: now,
                details: .init(reason: RevocationReason(rawValue: "unheard_of")))
            _ = try await store.record([newer, event(.login)])
            let found = try await record(of: store)
            try demand(found == [newer, event(.login)], "\(found)")
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

    /// A step that changes something, with the events and the ends of sessions that it must hand back.
    private struct Mutation: Sendable {
        let name: String
        let events: [SecurityEvent.Kind]
        let ended: [String]
        let step: @Sendable (any Store) async throws -> Committed<Void>

        init(
            _ name: String, _ events: [SecurityEvent.Kind], ending ended: [String] = [],
            _ step: @escaping @Sendable (any Store) async throws -> Committed<Void>
        ) {
            self.name = name
            self.events = events
            self.ended = ended
            self.step = step
        }
    }

    /// Each operation that records, on the account of Ann, in an order in which each has something to do.
    private static let mutations: [Mutation] = [
        Mutation("add", [.signUp]) { try await done($0.add(account("ann"), recording: [event(.signUp)])) },
        Mutation("begin", [.login]) { try await done($0.begin(start("a"), recording: [event(.login)])) },
        Mutation("begin in place of another", [.login, .revocation], ending: ["a"]) { store in
            try await done(store.begin(start("b", replacing: "a"), recording: [event(.login)]))
        },
        Mutation("begin beyond the limit", [.login, .revocation], ending: ["b"]) { store in
            try await done(store.begin(start("c", maximumSessions: 1), recording: [event(.login)]))
        },
        Mutation("update", [.renewal]) { store in
            try await done(store.update(SessionID("c")) { _ in Decided((), recording: [event(.renewal)]) })
        },
        Mutation("update that ends the session", [.reuse], ending: ["c"]) { store in
            try await done(
                store.update(SessionID("c")) { session in
                    session.revoke(.refreshTokenReused, at: now)
                    return Decided((), recording: [event(.reuse)])
                })
        },
        Mutation("begin", [.login]) { try await done($0.begin(start("d"), recording: [event(.login)])) },
        Mutation("begin", [.login]) { try await done($0.begin(start("e"), recording: [event(.login)])) },
        Mutation("changePassword", [.passwordChange, .revocation], ending: ["d"]) { store in
            try await done(
                store.changePassword(change(0), by: SessionID("e")) { _ in
                    (Decided((), recording: [event(.passwordChange)]), true)
                })
        },
        Mutation("changePassword that ends the session", [.reuse], ending: ["e"]) { store in
            try await done(
                store.changePassword(change(1), by: SessionID("e")) { session in
                    session.revoke(.refreshTokenReused, at: now)
                    return (Decided((), recording: [event(.reuse)]), false)
                })
        },
        Mutation("begin", [.login]) { store in
            try await done(store.begin(start("f", credentialVersion: 1), recording: [event(.login)]))
        },
        Mutation("begin", [.login]) { store in
            try await done(store.begin(start("g", credentialVersion: 1), recording: [event(.login)]))
        },
        Mutation("revoke", [.revocation], ending: ["f"]) { store in
            let step = try await store.revoke(.id(SessionID("f")), reason: .endedByUser, at: now, after: nil, limit: 9)
            return Committed((), events: step.events, revoked: step.revoked)
        },
        Mutation("setPassword", [.passwordChange, .revocation], ending: ["g"]) { store in
            try await done(store.setPassword(change(1), recording: [event(.passwordChange)]))
        },
        Mutation("begin", [.login]) { store in
            try await done(store.begin(start("h", credentialVersion: 2), recording: [event(.login)]))
        },
        Mutation("setDisabled", [.accountDisabled, .revocation], ending: ["h"]) { store in
            try await done(store.setDisabled(true, Subject("u_ann"), recording: [event(.accountDisabled)], at: now))
        },
        Mutation("record", [.login, .renewal]) { try await $0.record([event(.login), event(.renewal)]) },
        Mutation("setClaims", [.claimsChange]) { store in
            let change = ClaimsChange(subject: Subject("u_ann"), claims: .empty, effect: .now(now))
            return try await done(store.setClaims(change, recording: [event(.claimsChange)]))
        },
        Mutation("setBlocked", [.subjectBlocked]) { store in
            try await store.setBlocked(true, Subject("u_ann"), recording: [event(.subjectBlocked)], at: now)
        },
        Mutation("add a credential", [.credentialAdded]) { store in
            let credential = credential("0a", at: now, expires: nil)
            return try await done(store.add(credential, recording: [event(.credentialAdded)]))
        },
        Mutation("remove a credential", [.credentialRemoved]) { store in
            try await done(store.remove(CredentialID("0a"), recording: [event(.credentialRemoved)]))
        },
    ]

    private static func done<Value>(_ committed: Committed<Value>?) throws -> Committed<Void> {
        guard let committed else { throw Violation(description: "the mutation did nothing") }
        return Committed((), events: committed.events, revoked: committed.revoked)
    }

    private static func event(_ kind: SecurityEvent.Kind) -> SecurityEvent {
        SecurityEvent(kind, at: now, subject: Subject("u_ann"))
    }

    private static func start(
        _ id: String, credentialVersion: Int = 0, replacing: String? = nil, maximumSessions: Int = 9
    ) -> SessionStart {
        SessionStart(
            session(id), credentialVersion: credentialVersion, replacing: replacing.map { SessionID($0) },
            maximumSessions: maximumSessions, policy: policy)
    }

    private static func change(_ version: Int) -> PasswordChange {
        PasswordChange(
            subject: Subject("u_ann"), credentialVersion: version, hash: PasswordHash(phc: "new"), time: now)
    }
}
