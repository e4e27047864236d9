import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let operationChecks = [
        check("a ping is taken, and changes nothing that anybody sees") { store in
            try await fill(store, sessions: [session("a")])
            for _ in 0..<3 { try await store.ping() }
            try demand(try await store.session(SessionID("a")) == session("a"), "the session has changed")
            try demand(try await store.revocations(after: nil).revoked.isEmpty, "something was revoked")
        },
        check("live sessions are those that are neither revoked, nor idle for too long, nor too old") { store in
            let times: [(String, Instant)] = [
                ("new", now), ("idle", now - policy.idleLifetime), ("nearly", now - policy.idleLifetime + .seconds(1)),
                ("old", now - policy.absoluteLifetime), ("revoked", now),
            ]
            try await fill(store, sessions: times.map { session($0, at: $1) })
            _ = try await store.revoke(
                .id(SessionID("revoked")), reason: .endedByUser, at: now, after: nil, limit: 10)
            try demand(try await store.liveSessions(at: now, under: policy) == 2, "not two")
            try demand(
                try await store.liveSessions(at: now + policy.absoluteLifetime, under: policy) == 0, "alive for ever")
        },
        check("a store that no other process writes to has no unannounced events") { store in
            _ = try await store.record([SecurityEvent(.login, at: now)])
            try demand(try await store.takeUnannouncedEvents(limit: 10).isEmpty, "its own events")
        },
    ]
}
