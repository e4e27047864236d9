import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let limitChecks = [
        check("beyond the maximum the session that was unused for longest ends, announced and recorded") { store in
            try await fill(
                store, accounts: ["ann", "bob"], sessions: [session("other", of: "bob", at: now - .days(9))])
            for (index, id) in ["b", "a", "c"].enumerated() {
                try await begin(session(id, at: now + .seconds(Int64(index))), in: store)
            }
            try await store.confirm(
                [Sighting(session: SessionID("b"), generation: 0, time: now + .minutes(5))], under: policy)
            let newest = session("d", at: now + .minutes(6))
            let ends = try await begin(newest, maximumSessions: 3, in: store)
            try demand(
                ends == [
                    .revocation(
                        of: SessionID("a"), subject: newest.subject, reason: .tooManySessions, at: newest.createdAt)
                ], "\(String(describing: ends))")
            try demand(
                try await store.session(SessionID("a"))?.revocation?.reason == .tooManySessions, "it was not ended")
            try demand(
                try await store.revocations(after: nil).revoked.map(\.session.rawValue) == ["a"], "not announced")
            for id in ["b", "c", "d", "other"] {
                try demand(try await store.session(SessionID(id))?.revocation == nil, "\(id) was ended")
            }
        },
        check("ended sessions and the replaced one do not count towards the maximum") { store in
            let idle = now - policy.idleLifetime
            try await fill(store, sessions: [session("idle", at: idle), session("live"), session("old")])
            let ends = try await begin(
                session("new"), replacing: SessionID("old"), maximumSessions: 2, in: store)
            try demand(ends?.map(\.session?.rawValue) == ["old"], "\(String(describing: ends))")
            try demand(try await store.session(SessionID("idle"))?.revocation == nil, "the idle one was ended")
        },
        check("after the maximum was lowered, a login ends at most a few hundred sessions") { store in
            try await fill(store, sessions: (0..<230).map { session("s\($0)", at: now + .seconds(Int64($0))) })
            let first = try await begin(session("x1", at: now + .minutes(9)), maximumSessions: 1, in: store)
            try demand(first?.count == SessionStart.endedAtMost, "\(first?.count ?? -1) were ended at once")
            let second = try await begin(session("x2", at: now + .minutes(9)), maximumSessions: 1, in: store)
            try demand(second?.count == 31, "\(second?.count ?? -1) were ended then")
        },
        check("a list has the live sessions of the selection, newest first") { store in
            try await fill(
                store, accounts: ["ann", "bob"],
                sessions: [
                    session("first", at: now), session("third", at: now + .minutes(2)),
                    session("second", at: now + .minutes(1)), session("gone"),
                    session("other", of: "bob"), session("idle", at: now - policy.idleLifetime),
                ])
            _ = try await revoke(.id(SessionID("gone")), in: store)
            let ann = SessionSelection.ofSubject(Subject("u_ann"), except: nil)
            let ids = try await store.sessions(ann, page()).map(\.id.rawValue)
            try demand(ids == ["third", "second", "first"], "\(ids)")
            let limited = try await store.sessions(.all, page(2)).map(\.id.rawValue)
            try demand(limited == ["third", "second"], "\(limited)")
        },
        check("pages have each session once, also if the sessions at their edges end") { store in
            let times: [Int64] = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
            try await fill(
                store, sessions: times.enumerated().map { session("s\($0.offset)", at: now + .seconds($0.element)) })
            let ann = SessionSelection.ofSubject(Subject("u_ann"), except: nil)
            var (seen, cursor): ([String], SessionCursor?) = ([], nil)
            while let last = try await store.sessions(ann, page(3, after: cursor)).last {
                seen += try await store.sessions(ann, page(3, after: cursor)).map(\.id.rawValue)
                cursor = SessionCursor(after: last)
                _ = try await revoke(.id(last.id), in: store)
            }
            try demand(seen == ["s9", "s5", "s6", "s7", "s8", "s3", "s4", "s0", "s1", "s2"], "\(seen)")
        },
    ]
}
