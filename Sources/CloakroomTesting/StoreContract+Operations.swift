import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let operationChecks = [
        check("a ping succeeds and changes no session and no revocation") { store in
            try await fill(store, sessions: [session("a")])
            for _ in 0..<3 { try await store.ping() }
            try demand(try await store.session(SessionID("a")) == session("a"), "the session has changed")
            try demand(try await store.revocations(after: nil).revoked.isEmpty, "something was revoked")
        },
        check("live sessions are those that are neither revoked nor past their idle or absolute lifetime") { store in
            let times: [(String, Instant)] = [
                ("new", now), ("idle", now - policy.idleLifetime), ("nearly", now - policy.idleLifetime + .seconds(1)),
                ("old", now - policy.absoluteLifetime), ("revoked", now),
            ]
            try await fill(store, sessions: times.map { session($0, at: $1) })
            _ = try await store.revoke(
                .id(SessionID("revoked")), reason: .endedByUser, at: now, after: nil, limit: 10)
            try demand(try await store.liveSessions(at: now, under: policy) == 2, "not two")
            try demand(
                try await store.liveSessions(at: now + policy.absoluteLifetime, under: policy) == 0, "some never end")
        },
        check("a store without other writing processes has no unannounced events") { store in
            _ = try await store.record([SecurityEvent(.login, at: now)])
            try demand(try await store.takeUnannouncedEvents(limit: 10).isEmpty, "the store has some of its own")
        },
    ]
}
