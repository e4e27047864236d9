import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let handOverChecks = [
        check("a session that was handed over is read back with its host and parent") { store in
            try await fill(store, sessions: [session("p")])
            let child = child("c", of: "p")
            try await begin(child, credentialVersion: nil, in: store)
            try demand(try await store.session(child.id) == child, "it came back changed")
        },
        check("a session is handed over from a live session of the same subject only") { store in
            try await fill(
                store, accounts: ["ann", "bob"],
                sessions: [
                    session("ended"), session("idle", at: now - policy.idleLifetime), session("bobs", of: "bob"),
                ])
            _ = try await revoke(.id(SessionID("ended")), in: store)
            for parent in ["ended", "idle", "bobs", "none"] {
                let events = try await begin(child("c-\(parent)", of: parent), credentialVersion: nil, in: store)
                try demand(events == nil, "it was handed over from \(parent)")
                try demand(try await store.session(SessionID("c-\(parent)")) == nil, "it was saved")
            }
        },
        check("whatever ends a session ends those that were handed over from it, announced and recorded") { store in
            for (name, end) in ends {
                let (parent, children) = ("p-\(name)", ["c1-\(name)", "c2-\(name)"])
                try await fill(store, accounts: [name], sessions: [session(parent, of: name)])
                for id in children { try await begin(child(id, of: parent, name), credentialVersion: nil, in: store) }
                let (events, revoked) = try await end(store, name)
                try demand(Set(revoked) == Set([parent] + children), "\(name): \(revoked)")
                for id in children {
                    let reason = try await store.session(SessionID(id))?.revocation?.reason
                    let told = events.filter { $0.session == SessionID(id) }.map(\.details.reason)
                    try demand(reason == (reasons[name] ?? .parentEnded), "\(name): \(String(describing: reason))")
                    try demand(told == [reason], "\(name): \(id) is recorded as \(told)")
                }
                let feed = try await store.revocations(after: nil).revoked.map(\.session.rawValue)
                try demand(Set(feed).isSuperset(of: [parent] + children), "\(name): not announced")
            }
        },
        check("a session that ends leaves its parent and the other sessions of that alone") { store in
            try await fill(store, sessions: [session("p")])
            for id in ["c1", "c2"] { try await begin(child(id, of: "p"), credentialVersion: nil, in: store) }
            let revoked = try await revoke(.id(SessionID("c1")), in: store).map(\.session.rawValue)
            try demand(revoked == ["c1"], "\(revoked)")
        },
        check("a selection of a family has the session and all that were handed over from it") { store in
            try await fill(store, sessions: [session("p"), session("other")])
            for id in ["c1", "c2"] { try await begin(child(id, of: "p"), credentialVersion: nil, in: store) }
            let revoked = try await revoke(.family(of: SessionID("p")), in: store).map(\.session.rawValue)
            try demand(Set(revoked) == ["p", "c1", "c2"] && revoked.count == 3, "\(revoked)")
        },
        check("an excepted session keeps its parent, without which it would end") { store in
            try await fill(store, sessions: [session("p"), session("other")])
            for id in ["c1", "c2"] { try await begin(child(id, of: "p"), credentialVersion: nil, in: store) }
            let others = SessionSelection.ofSubject(Subject("u_ann"), except: SessionID("c1"))
            let revoked = try await revoke(others, in: store).map(\.session.rawValue)
            try demand(Set(revoked) == ["other", "c2"], "\(revoked)")
        },
        check("a parent admits no session of a code that it has withdrawn, or of an earlier provisional one") {
            store in
            try await fill(store, sessions: [session("p")])
            try await makeCode(at: "p", presenting: 0, in: store)
            let others = SessionSelection.ofSubject(Subject("u_ann"), except: SessionID("p"))
            for (epoch, generation, isProvisional, begins) in [
                (0, 1, false, true), (0, 1, true, true), (1, 1, false, false), (0, 0, true, false), (0, 0, false, true),
            ] {
                let point = HandOverPoint(generation: generation, epoch: epoch, isProvisional: isProvisional)
                let child = child("c\(epoch)\(generation)\(isProvisional)", of: "p", point: point)
                let events = try await begin(child, credentialVersion: nil, in: store)
                try demand((events != nil) == begins, "\(point)")
            }
            _ = try await revoke(others, in: store)
            for (epoch, begins) in [(0, false), (1, true)] {
                let point = HandOverPoint(generation: 1, epoch: epoch, isProvisional: false)
                let events = try await begin(
                    child("d\(epoch)", of: "p", point: point), credentialVersion: nil, in: store)
                try demand((events != nil) == begins, "after all others were ended: \(point)")
            }
            let kept = SessionSelection.ofSubject(Subject("u_ann"), except: SessionID("d1"))
            _ = try await revoke(kept, in: store)
            let point = HandOverPoint(generation: 1, epoch: 1, isProvisional: false)
            try demand(
                try await begin(child("e", of: "p", point: point), credentialVersion: nil, in: store) == nil,
                "the parent of the excepted session")
        },
        check("a generation that is sent again ends the sessions that came with it, a new one the provisional ones") {
            store in
            try await fill(store, sessions: [session("p")])
            try await makeCode(at: "p", presenting: 0, in: store)
            for (id, generation, isProvisional) in [("old", 0, false), ("firm", 1, false), ("loose", 1, true)] {
                let point = HandOverPoint(generation: generation, epoch: 0, isProvisional: isProvisional)
                try await begin(child(id, of: "p", point: point), credentialVersion: nil, in: store)
            }
            let again = try await makeCode(at: "p", presenting: 0, after: .seconds(3), in: store)
            try demand(Set(again) == ["firm", "loose"], "sent again: \(again)")
            let point = HandOverPoint(generation: 1, epoch: 1, isProvisional: true)
            try await begin(child("looser", of: "p", point: point), credentialVersion: nil, in: store)
            let next = try await makeCode(at: "p", presenting: 1, after: .minutes(1), in: store)
            try demand(next == [], "inside the window: \(next)")
            let last = try await makeCode(at: "p", presenting: 1, after: .minutes(2), in: store)
            try demand(last == ["looser"], "a new generation: \(last)")
            try demand(
                try await store.session(SessionID("looser"))?.revocation?.reason == .parentEnded, "another reason")
        },
        check("a session stays while one that was handed over from it is live") { store in
            let idle = now - policy.idleLifetime - .days(2)
            try await fill(store, sessions: [session("p", at: idle), session("q", at: idle)])
            try await begin(child("c", of: "p", at: idle), credentialVersion: nil, in: store)
            _ = try await store.update(SessionID("c")) { session in
                Decided(session.confirm(generation: 0, at: now - .days(16), under: policy))
            }
            _ = try await store.sweep(at: now, under: policy, limit: 100)
            let left = (try await store.session(SessionID("p")), try await store.session(SessionID("q")))
            try demand(left.0 != nil && left.1 == nil, "the parent of a live session is gone, or another is left")
            let revoked = try await revoke(.family(of: SessionID("p")), in: store).map(\.session.rawValue)
            try demand(Set(revoked) == ["p", "c"], "\(revoked)")
            _ = try await store.sweep(at: now + .days(100), under: policy, limit: 100)
            try demand(try await store.session(SessionID("p")) == nil, "it stays beyond its lifetime")
        },
        check("a revoked session goes a day later if it was handed over, and stays if it began with a login") { store in
            try await fill(store, sessions: [session("p"), session("q")])
            for id in ["c", "d"] { try await begin(child(id, of: "p"), credentialVersion: nil, in: store) }
            for id in ["c", "q"] { _ = try await revoke(.id(SessionID(id)), in: store) }
            for (time, isThere) in [(now + .days(1), true), (now + .days(1) + .seconds(1), false)] {
                _ = try await store.sweep(at: time, under: policy, limit: 100)
                try demand((try await store.session(SessionID("c")) != nil) == isThere, "at \(time)")
            }
            for id in ["p", "q", "d"] {
                try demand(try await store.session(SessionID(id)) != nil, "\(id) is gone")
            }
        },
        check("the maximum of a subject counts logins, and that of a parent the sessions handed over from it") {
            store in
            try await fill(store, sessions: [session("p"), session("q", at: now + .seconds(1))])
            for (index, id) in ["c1", "c2", "c3"].enumerated() {
                let child = child(id, of: "p", at: now + .seconds(Int64(index + 2)))
                let ends = try await begin(child, credentialVersion: nil, maximumSessions: 2, in: store)
                try demand(
                    ends?.map(\.session?.rawValue) == (index < 2 ? [] : ["c1"]), "\(id): \(String(describing: ends))")
            }
            let ends = try await begin(session("r", at: now + .minutes(1)), maximumSessions: 2, in: store)
            try demand(
                Set(ends?.compactMap(\.session?.rawValue) ?? []) == ["p", "c2", "c3"], "\(String(describing: ends))")
        },
    ]

    /// A session of a host, which was handed over from `parent`.
    static func child(
        _ id: String, of parent: String, _ name: String = "ann", at time: Instant = now, point: HandOverPoint? = nil
    ) -> Session {
        let login = session(id, of: name, at: time)
        return Session(
            id: login.id, subject: login.subject, secret: login.secret, refreshKey: "k0",
            details: Session.Details(
                client: .browser, remembered: true, userAgent: login.userAgent, address: login.address,
                evidence: login.evidence,
                handedOver: HandedOver(
                    parent: SessionID(parent), host: "shop.example.com",
                    point: point ?? HandOverPoint(generation: 0, epoch: 0, isProvisional: false))),
            at: time, under: policy)
    }

    /// Presents a generation for a code.
    /// - Returns: the sessions that this ended.
    @discardableResult
    private static func makeCode(
        at id: String, presenting generation: Int, after span: Span = .zero, in store: any Store
    ) async throws -> [String] {
        let presented = PresentedRefresh(generation: generation, issuedAt: now, key: "k0")
        let committed = try await store.update(SessionID(id)) { session in
            Decided(session.handOver(presenting: presented, at: now + span, under: policy, signingWith: "k0"))
        }
        return committed?.revoked.map(\.session.rawValue) ?? []
    }

    /// Where all sessions of the subject are selected, the reason is that of the selection.
    private static let reasons: [String: RevocationReason] = [
        "password": .passwordChanged, "disable": .accountDisabled, "block": .subjectBlocked,
    ]

    private typealias Ended = (events: [SecurityEvent], revoked: [String])

    /// The ways in which the session `p-NAME` of the account NAME ends.
    private static let ends: [(name: String, end: @Sendable (any Store, String) async throws -> Ended)] = [
        (
            "update",
            { store, name in
                told(
                    try await store.update(SessionID("p-\(name)")) { session in
                        Decided(session.revoke(.logout, at: now))
                    })
            }
        ),
        (
            "revoke",
            { store, name in
                told(
                    try await store.revoke(
                        .id(SessionID("p-\(name)")), reason: .endedByUser, at: now, after: nil, limit: 10))
            }
        ),
        (
            "replace",
            { store, name in
                told(
                    try await store.begin(
                        SessionStart(
                            session("new-\(name)", of: name), credentialVersion: 0, replacing: SessionID("p-\(name)"),
                            maximumSessions: 9, policy: policy), recording: []))
            }
        ),
        (
            "limit",
            { store, name in
                told(
                    try await store.begin(
                        SessionStart(
                            session("new-\(name)", of: name), credentialVersion: 0, maximumSessions: 1, policy: policy),
                        recording: []))
            }
        ),
        (
            "password",
            { store, name in
                let change = PasswordChange(
                    subject: Subject("u_\(name)"), credentialVersion: 0, hash: PasswordHash(phc: "new"), time: now)
                return told(try await store.setPassword(change, recording: []))
            }
        ),
        (
            "disable",
            { store, name in told(try await store.setDisabled(true, Subject("u_\(name)"), recording: [], at: now)) }
        ),
        (
            "block",
            { store, name in told(try await store.setBlocked(true, Subject("u_\(name)"), recording: [], at: now)) }
        ),
    ]

    private static func told<Value>(_ committed: Committed<Value>?) -> Ended {
        (committed?.events ?? [], committed?.revoked.map(\.session.rawValue) ?? [])
    }
}
