import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let sweepChecks = [
        check("sweeping deletes sessions that ended more than a day ago, and no others") { store in
            try await fill(
                store,
                sessions: [
                    session("live"), session("idle", at: now - policy.idleLifetime - .days(1) - .seconds(1)),
                    session("just idle", at: now - policy.idleLifetime - .seconds(1)),
                    session("expired", at: now - policy.absoluteLifetime - .days(1) - .seconds(1)),
                    session("revoked", at: now - policy.idleLifetime - .days(1) - .seconds(1)),
                ])
            _ = try await revoke(.id(SessionID("revoked")), in: store)
            let swept = try await store.sweep(at: now, under: policy, limit: 100)
            try demand(swept >= 2, "\(swept) were swept")
            for id in ["live", "just idle", "revoked"] {
                try demand(try await store.session(SessionID(id)) != nil, "\(id) was swept")
            }
            for id in ["idle", "expired"] {
                try demand(try await store.session(SessionID(id)) == nil, "\(id) was not swept")
            }
            try demand(try await store.sweep(at: now, under: policy, limit: 100) == 0, "there was more")
        },
        check("sweeping deletes in steps") { store in
            let old = now - policy.absoluteLifetime - .days(2)
            try await fill(store, sessions: (0..<5).map { session("s\($0)", at: old) })
            try demand(try await store.sweep(at: now, under: policy, limit: 3) == 3, "the first step")
            try demand(try await store.sweep(at: now, under: policy, limit: 3) == 2, "the second step")
        },
    ]
}
