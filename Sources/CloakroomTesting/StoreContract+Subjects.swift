import CloakroomCore
import CloakroomStores

extension StoreContract {
    private static let ann = Subject("u_ann")
    private static let editor = Claims(["roles": .list([.string("editor"), .string("é")]), "level": .integer(3)])

    static let subjectChecks = [
        check("claims belong to the subject: each of its sessions has them, until others take their place") { store in
            try await fill(store, accounts: ["ann", "bob"], sessions: [session("a")])
            try demand(try await claims(of: "a", in: store) == .empty, "without claims")
            try await setClaims(editor, in: store)
            try await begin(session("b"), in: store)
            try await begin(session("other", of: "bob"), in: store)
            for id in ["a", "b"] { try demand(try await claims(of: id, in: store) == editor, "of \(id)") }
            try demand(try await claims(of: "other", in: store) == .empty, "of another subject")
            let seen = try await store.update(SessionID("a")) { Decided($0.claims) }
            try demand(value(seen) == editor, "in an update: \(String(describing: seen))")
            try await setClaims(.empty, in: store)
            try demand(try await claims(of: "a", in: store) == .empty, "they were not taken away")
        },
        check("a session that begins with claims sets them, and one without leaves them") { store in
            try await fill(store)
            for (claims, expected) in [(editor, editor), (nil, editor), (Claims.empty, .empty)] as [(Claims?, Claims)] {
                let begun = try await store.begin(start(session("s\(claims == nil)\(expected)"), claims), recording: [])
                try demand(value(begun) == expected, "\(String(describing: begun))")
            }
        },
        check("a change of claims with immediate effect is in the feed, in order; one that waits is not") { store in
            try await fill(store, sessions: [session("a"), session("b")])
            let mark = StaleMark(subject: ann, time: now + .seconds(5))
            let waiting = try await store.setClaims(.init(subject: ann, claims: editor, effect: .next), recording: [])
            try demand(value(waiting) == .some(nil), "\(waiting)")
            _ = try await revoke(.id(SessionID("a")), in: store)
            let cursor = try await store.revocations(after: nil).cursor
            let immediate = try await store.setClaims(
                .init(subject: ann, claims: editor, effect: .now(mark.time)), recording: [])
            try demand(value(immediate) == .some(mark), "\(immediate)")
            let page = try await store.revocations(after: cursor)
            try demand(page.stale == [mark] && page.revoked.isEmpty && !page.isEmpty, "\(page)")
            let all = try await store.revocations(after: nil)
            try demand(all.stale == [mark] && all.revoked.map(\.session.rawValue) == ["a"], "\(all)")
            try demand(try await store.revocations(after: page.cursor).isEmpty, "the feed does not end")
            try demand(try await store.session(SessionID("b"))?.revocation == nil, "a session was ended")
        },
        check("blocking a subject ends its sessions and lets none begin, with or without an account") { store in
            try await fill(store, accounts: ["ann", "bob"], sessions: [session("a"), session("b")])
            try await begin(session("other", of: "bob"), in: store)
            let ended = try await store.setBlocked(true, ann, recording: [], at: now)
            try demand(Set(ended.revoked.map(\.session.rawValue)) == ["a", "b"], "\(ended)")
            try demand(try await store.session(SessionID("a"))?.revocation?.reason == .subjectBlocked, "the reason")
            try demand(try await store.isBlocked(ann), "not blocked")
            try demand(try await store.isBlocked(Subject("u_bob")) == false, "another subject is blocked")
            for version in [0, nil] {
                let refused = try await begin(session("c"), credentialVersion: version, in: store)
                try demand(refused == nil, "a session began")
                try demand(try await store.session(SessionID("c")) == nil, "and was saved")
            }
            let admitted = try await store.setBlocked(false, ann, recording: [], at: now)
            try demand(admitted.revoked.isEmpty, "\(admitted)")
            try demand(try await store.isBlocked(ann) == false, "still blocked")
            try demand(try await begin(session("c"), in: store) != nil, "no session begins")
            try demand(try await store.session(SessionID("a"))?.revocation != nil, "an ended session lives again")
        },
        check("claims and the block of a subject do not affect each other") { store in
            try await fill(store)
            try await setClaims(editor, in: store)
            _ = try await store.setBlocked(true, ann, recording: [], at: now)
            try await setClaims(editor, in: store)
            try demand(try await store.isBlocked(ann), "new claims admit the subject")
            _ = try await store.setBlocked(false, ann, recording: [], at: now)
            try await begin(session("a"), in: store)
            try demand(try await claims(of: "a", in: store) == editor, "blocking takes the claims")
        },
    ]

    private static func claims(of id: String, in store: any Store) async throws -> Claims? {
        try await store.session(SessionID(id))?.claims
    }

    private static func setClaims(_ claims: Claims, in store: any Store) async throws {
        _ = try await store.setClaims(ClaimsChange(subject: ann, claims: claims, effect: .next), recording: [])
    }

    private static func start(_ session: Session, _ claims: Claims?) -> SessionStart {
        SessionStart(session, credentialVersion: 0, claims: claims, maximumSessions: 1000, policy: policy)
    }
}
