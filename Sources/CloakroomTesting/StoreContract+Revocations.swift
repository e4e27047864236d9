import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let revocationChecks = [
        check("a revocation in an update is announced once, in order, from any position") { store in
            try await fill(store, sessions: [session("a"), session("b")])
            for id in ["a", "b", "a"] {
                _ = try await store.update(SessionID(id)) { Decided($0.revoke(.logout, at: now)) }
            }
            let all = try await store.revocations(after: nil)
            try demand(all.revoked.map(\.session.rawValue) == ["a", "b"], "\(all.revoked)")
            let none = try await store.revocations(after: all.cursor)
            try demand(none.revoked.isEmpty && none.cursor == all.cursor, "announced twice")
            try await begin(session("c"), in: store)
            _ = try await revoke(.id(SessionID("c")), in: store)
            let news = try await store.revocations(after: all.cursor)
            try demand(news.revoked.map(\.session.rawValue) == ["c"], "\(news.revoked)")
        },
        check("revoking ends exactly the selected sessions, and returns those that were alive") { store in
            let old = now - .days(2)
            let selections: [(SessionSelection, Set<String>)] = [
                (.id(SessionID("a1")), ["a1"]), (.ofSubject(Subject("u_ann"), except: nil), ["a1", "a2"]),
                (.ofSubject(Subject("u_ann"), except: SessionID("a1")), ["a2"]),
                (.createdBefore(now), ["a2", "b1"]), (.all, ["a1", "a2", "b1"]), (.id(SessionID("none")), []),
            ]
            try await fill(store, accounts: ["ann", "bob"])
            for (selection, expected) in selections {
                for (index, one) in [session("a1"), session("a2", at: old), session("b1", of: "bob", at: old)]
                    .enumerated()
                {
                    let fresh = Session.copy(of: one, id: "\(one.id)-\(selection)-\(index)")
                    try await begin(fresh, in: store)
                }
                // The table above names sessions by short ids; the copies append the selection to the id.
                let renamed = selection.renamed(suffix: "\(selection)")
                let revoked = try await revoke(renamed, .endedByAdministrator, in: store)
                let names = Set(revoked.map { String($0.session.rawValue.prefix { $0 != "-" }) })
                try demand(names == expected, "\(selection): \(names)")
                let again = try await revoke(renamed, in: store)
                try demand(again.isEmpty, "\(selection): revoked twice")
                _ = try await revoke(.all, in: store)
            }
        },
        check("revoking in steps ends each session once, and announces each step before the next") { store in
            try await fill(store, accounts: ["ann", "bob"], sessions: ["a", "b", "c", "d", "e"].map { session($0) })
            try await begin(session("x", of: "bob"), in: store)
            var (steps, position): ([[String]], SessionID?) = ([], nil)
            repeat {
                let step = try await store.revoke(
                    .ofSubject(Subject("u_ann"), except: SessionID("c")), reason: .logout, at: now, after: position,
                    limit: 3)
                steps.append(step.revoked.map(\.session.rawValue))
                position = step.publish { _, _ in }
                let announced = try await store.revocations(after: nil).revoked.map(\.session.rawValue)
                try demand(announced == steps.flatMap { $0 }, "\(announced)")
                if steps.count == 1 { try await begin(session("a2"), in: store) }
            } while position != nil && steps.count < 9
            try demand(steps == [["a", "b", "d"], ["e"]], "\(steps)")
        },
        check(
            "a password change ends every session but the kept one, and only if the checked credential is current"
        ) { store in
            try await fill(store, sessions: [session("kept"), session("ended")])
            let subject = Subject("u_ann")
            func change(_ version: Int) -> PasswordChange {
                PasswordChange(
                    subject: subject, credentialVersion: version, hash: PasswordHash(phc: "new \(version)"), time: now)
            }
            let late = try await store.changePassword(change(5), by: SessionID("kept")) { (Decided($0.id), true) }
            try demand(late == nil, "changed for an old credential")
            let disagreed = try await store.changePassword(change(0), by: SessionID("kept")) { session in
                (Decided(session.id, recording: [SecurityEvent(.reuse, at: now)]), false)
            }
            try demand(disagreed?.revoked.isEmpty == true, "the refused change ended sessions")
            try demand(try await store.session(SessionID("ended"))?.revocation == nil, "it was ended")
            try demand(try await store.account(subject)?.credentialVersion == 0, "the password was changed")
            let ended = try await store.changePassword(change(0), by: SessionID("kept")) { (Decided($0.id), true) }
            try demand(ended?.revoked.map(\.session.rawValue) == ["ended"], "\(String(describing: ended))")
            let account = try await store.account(subject)
            try demand(
                account?.passwordHash == change(0).hash && account?.credentialVersion == 1,
                "the password was not changed")
            try demand(try await store.session(SessionID("kept"))?.revocation == nil, "the kept one was ended")
            try demand(try await store.setPassword(change(0), recording: []) == nil, "set for an old credential")
            let all = try await store.setPassword(change(1), recording: [])?.revoked
            try demand(all?.map(\.session.rawValue) == ["kept"], "\(String(describing: all))")
        },
        check("a revocation is saved and announced also if the password change itself is refused") { store in
            try await fill(store, sessions: [session("stolen")])
            let change = PasswordChange(
                subject: Subject("u_ann"), credentialVersion: 0, hash: PasswordHash(phc: "new"), time: now)
            _ = try await store.changePassword(change, by: SessionID("stolen")) { session in
                (Decided(session.revoke(.refreshTokenReused, at: now)), false)
            }
            try demand(
                try await store.session(SessionID("stolen"))?.revocation?.reason == .refreshTokenReused, "not saved")
            let news = try await store.revocations(after: nil)
            try demand(news.revoked.map(\.session.rawValue) == ["stolen"], "not announced")
        },
        check("disabling an account ends its sessions, and enabling it revives none") { store in
            try await fill(store, accounts: ["ann", "bob"], sessions: [session("a"), session("b", of: "bob")])
            let ended = try await store.setDisabled(true, Subject("u_ann"), recording: [], at: now)?.revoked
            try demand(ended?.map(\.session.rawValue) == ["a"], "\(String(describing: ended))")
            try demand(try await store.account(Subject("u_ann"))?.isDisabled == true, "not disabled")
            try demand(
                try await store.setDisabled(false, Subject("u_ann"), recording: [], at: now)?.revoked.isEmpty == true,
                "ended again")
            try demand(try await store.account(Subject("u_ann"))?.isDisabled == false, "not enabled")
            try demand(try await store.session(SessionID("a"))?.revocation != nil, "revived")
            try demand(
                try await store.setDisabled(true, Subject("u_none"), recording: [], at: now) == nil,
                "an unknown account was disabled")
        },
    ]
}

extension Session {
    fileprivate static func copy(of session: Session, id: String) -> Session {
        Session(
            id: SessionID(id), subject: session.subject, secret: session.secret, refreshKey: session.refreshKey,
            details: Session.Details(
                client: session.client, remembered: session.remembered, userAgent: session.userAgent,
                address: session.address, evidence: session.evidence),
            at: session.createdAt,
            under: StoreContract.policy)
    }
}

extension SessionSelection {
    fileprivate func renamed(suffix: String) -> SessionSelection {
        switch self {
        case .id(let id): .id(SessionID("\(id)-\(suffix)-0"))
        case .ofSubject(let subject, let except):
            .ofSubject(subject, except: except.map { SessionID("\($0)-\(suffix)-0") })
        case .family(let root): .family(of: SessionID("\(root)-\(suffix)-0"))
        case .createdBefore, .all: self
        }
    }
}
