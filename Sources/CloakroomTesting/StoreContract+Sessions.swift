package import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let sessionChecks = [
        check("a saved session is read back unchanged") { store in
            for (index, saved) in variedSessions().enumerated() {
                if index == 0 { try await fill(store) }
                try await begin(saved, in: store)
                try demand(try await store.session(saved.id) == saved, "the session \(index) came back changed")
            }
        },
        check("an unknown session is not found") { store in
            try demand(try await store.session(SessionID("none")) == nil, "an unknown session was found")
            let updated = try await store.update(SessionID("none")) { _ in Decided(true) }
            try demand(updated == nil, "an unknown session was updated")
        },
        check("a session begins only if its account is enabled and the checked credential is current") {
            store in
            try await fill(store, accounts: ["ann", "bob"])
            _ = try await store.setDisabled(true, Subject("u_bob"), recording: [], at: now)
            let cases = [(session("a", of: "ann"), 1), (session("b", of: "bob"), 1), (session("c", of: "nobody"), 0)]
            for (session, version) in cases {
                let ends = try await begin(session, credentialVersion: version, in: store)
                try demand(ends == nil, "\(session.id) began")
                try demand(try await store.session(session.id) == nil, "\(session.id) was saved")
            }
        },
        check("a session of a subject without an account in this store begins") { store in
            try demand(
                try await begin(session("a", of: "elsewhere"), credentialVersion: nil, in: store) != nil, "refused")
            try demand(try await store.session(SessionID("a")) == session("a", of: "elsewhere"), "not saved")
        },
        check("a replaced session is revoked, but only if the new one begins") { store in
            try await fill(store, sessions: [session("old")])
            try await begin(session("x"), credentialVersion: 9, replacing: SessionID("old"), in: store)
            try demand(try await store.session(SessionID("old"))?.revocation == nil, "it was replaced")
            let ends = try await begin(session("new"), replacing: SessionID("old"), in: store)
            try demand(ends?.map(\.details.reason) == [.replaced], "\(String(describing: ends))")
            try demand(try await store.session(SessionID("old"))?.revocation?.reason == .replaced, "not replaced")
            try demand(
                try await store.revocations(after: nil).revoked.map(\.session) == [SessionID("old")], "not announced")
        },
        check("an update saves the decided change and returns the decision") { store in
            try await fill(store, sessions: [session("a")])
            let answer = try await value(
                store.update(SessionID("a")) { session in
                    Decided(
                        session.refresh(
                            presenting: PresentedRefresh(generation: 0, issuedAt: now, key: "k0"), at: now,
                            under: policy,
                            signingWith: "k1"))
                })
            let saved = try await store.session(SessionID("a"))
            try demand(answer == .rotated && saved?.generation == 1 && saved?.refreshKey == "k1", "it was not saved")
        },
        check("an update for a credential that is not the account's any more changes nothing") { store in
            try await fill(store, accounts: ["ann", "bob"], sessions: [session("a"), session("b", of: "bob")])
            _ = try await store.setDisabled(false, Subject("u_ann"), recording: [], at: now)
            let cases: [(String, Int?, Bool)] = [
                ("a", 0, false), ("a", 1, true), ("a", 2, false), ("b", 0, true), ("a", nil, true), ("none", 0, false),
            ]
            for (id, version, isChanged) in cases {
                let updated = try await store.update(SessionID(id), checking: version) { session in
                    Decided(session.confirm(generation: 0, at: now + .days(1), under: policy))
                }
                try demand((updated != nil) == isChanged, "\(id) \(String(describing: version))")
            }
            _ = try await store.setDisabled(true, Subject("u_bob"), recording: [], at: now)
            let disabled = try await store.update(SessionID("b"), checking: 1) { _ in Decided(true) }
            try demand(disabled == nil, "the account is disabled")
        },
        check("a hundred concurrent updates are all saved") { store in
            try await fill(store, sessions: [session("a")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        let time = now + .minutes(Int64(index))
                        _ = try await store.update(SessionID("a")) { session in
                            let held = PresentedRefresh(
                                generation: session.generation, issuedAt: session.rotatedAt, key: session.refreshKey)
                            return Decided(
                                session.stepUp(
                                    with: Evidence(.password, at: time), presenting: held, at: time, under: policy,
                                    signingWith: "k"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            try demand(try await store.session(SessionID("a"))?.generation == 100, "updates were lost")
        },
        check("a seen access token confirms a pending generation; those of deleted sessions are skipped") { store in
            try await fill(store, sessions: [session("a")])
            _ = try await store.update(SessionID("a")) { session in
                Decided(
                    session.refresh(
                        presenting: PresentedRefresh(generation: 0, issuedAt: now, key: "k0"), at: now, under: policy,
                        signingWith: "k0"))
            }
            let time = now + .seconds(1)
            try await store.confirm(
                [
                    Sighting(session: SessionID("gone"), generation: 1, time: time),
                    Sighting(session: SessionID("a"), generation: 1, time: time),
                ], under: policy)
            let saved = try await store.session(SessionID("a"))
            try demand(saved?.confirmation == .confirmed(windowOpenedAt: time), "it was not confirmed")
        },
    ]

    /// Sessions that cover every state of each column.
    package static func variedSessions() -> [Session] {
        let base = session("base")
        let confirmations: [Session.Confirmation] = [
            .pending, .confirmed(windowOpenedAt: nil), .confirmed(windowOpenedAt: now - .seconds(3)),
        ]
        let reasons = [RevocationReason.logout, .refreshTokenReused, .init(rawValue: "of a newer version")]
        let revocations = [nil] + reasons.map { Session.Revocation(time: now, reason: $0) }
        let earlier = [nil, Evidence(.password, at: now - .days(1))]
        return confirmations.flatMap { confirmation in
            revocations.flatMap { revocation in earlier.map { (confirmation, revocation, $0) } }
        }.enumerated().map { index, state in
            var details = Session.Details(
                client: ClientID("client \(index)"), login: index % 3 == 0 ? nil : "ann@example.com",
                remembered: index % 2 == 0, userAgent: "agent '\(index)\u{E9}\"",
                address: index % 2 == 0 ? "" : "192.0.2.\(index)", evidence: Evidence(.password, at: now))
            details.earlierEvidence = state.2
            return Session(
                id: SessionID("varied-\(index)"), subject: base.subject,
                secret: Secret([UInt8](repeating: UInt8(index), count: index)), createdAt: now - .seconds(Int64(index)),
                expiresAt: now + .days(Int64(index)), generation: index * 1000, confirmation: state.0,
                rotatedAt: now - .minutes(Int64(index)), refreshKey: "key-\(index)",
                stragglersFrom: max(0, index * 1000 - index), handedOutAt: now - .seconds(Int64(index)),
                isReissued: index % 2 == 1, lastSeenAt: now, revocation: state.1, details: details)
        }
    }
}
