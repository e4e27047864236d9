import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let feedChecks = [
        check("a cursor that the store did not make, or of a history that it lost, starts the feed again") { store in
            try await end(["a", "b"], in: store)
            let page = try await store.revocations(after: nil)
            try demand(page.isStart && page.revoked.count == 2, "the first page is not the start")
            let next = try await store.revocations(after: page.cursor)
            try demand(!next.isStart && next.isEmpty, "its own cursor starts again")
            let parts = page.cursor.rawValue.split(separator: "-", maxSplits: 1).map(String.init)
            let (epoch, place) = (parts[0], parts[1])
            for text in [
                "", "-", "1", "x", "x-1", "-\(epoch)-\(place)", "+\(epoch)-\(place)", "0\(epoch)-\(place)",
                " \(epoch)-\(place)", "\(epoch)-", "\(epoch)--1", "\(epoch)-99999999999999999999", "\(epoch)- \(place)",
                "\(epoch)-\(place) ", "1\(epoch)-\(place)", "\(epoch)-\(place),\(epoch)-\(place)", "\(epoch)-x/a",
            ] {
                let again = try await store.revocations(after: FeedCursor(text))
                try demand(again.isStart && again.revoked.count == 2, "\(text): \(again)")
                let after = try await store.revocations(after: again.cursor)
                try demand(!after.isStart && after.isEmpty, "\(text): \(again.cursor)")
            }
        },
        check("the cursors of a feed are short and printable") { store in
            try await end(["a", "b"], in: store)
            let page = try await store.revocations(after: nil)
            let bytes = page.resumption.rawValue.utf8
            try demand(1...200 ~= bytes.count && bytes.allSatisfy { 0x21...0x7E ~= $0 }, page.resumption.rawValue)
            let next = try await store.revocations(after: page.resumption)
            try demand(!next.isStart, "it starts again")
        },
        check("a page that is proved to be current goes on where the others do") { store in
            try await end(["a"], in: store)
            let first = try await store.currentRevocations(after: nil)
            try demand(first.isStart && first.revoked.map(\.session.rawValue) == ["a"], "\(first)")
            try await end(["b"], in: store)
            let second = try await store.currentRevocations(after: first.cursor)
            try demand(!second.isStart && second.revoked.map(\.session.rawValue) == ["b"], "\(second)")
            let third = try await store.revocations(after: second.cursor)
            try demand(!third.isStart && third.isEmpty, "\(third)")
            let again = try await store.currentRevocations(after: FeedCursor("x"))
            try demand(again.isStart && again.revoked.count == 2, "\(again)")
        },
        check("lost revocations are repeated: each session ends once, and each is in the feed once") { store in
            try await end(["known"], in: store)
            try await begin(session("live"), in: store)
            try await begin(session("other"), in: store)
            let ids = ["known", "live", "gone"].map { SessionID($0) }
            let before = try await store.revocations(after: nil).cursor
            for expected in [["gone", "live"], []] {
                let committed = try await store.reassert(ids, at: now)
                try demand(committed.revoked.map(\.session.rawValue).sorted() == expected, "\(committed.revoked)")
                let kinds = committed.events.map(\.session?.rawValue)
                try demand(kinds == (expected.isEmpty ? [] : ["live"]), "\(kinds)")
            }
            let news = try await store.revocations(after: before).revoked.map(\.session.rawValue)
            try demand(news.sorted() == ["gone", "live"], "\(news)")
            let live = try await store.session(SessionID("live"))
            try demand(live?.revocation?.reason == .lostInFailover, "it lives")
            let known = try await store.session(SessionID("known"))
            try demand(known?.revocation?.reason == .logout, "it has another reason")
            try demand(try await store.session(SessionID("other"))?.revocation == nil, "another one ended")
        },
    ]

    private static func end(_ names: [String], in store: any Store) async throws {
        if try await store.account(Subject("u_ann")) == nil { try await fill(store) }
        for name in names {
            try await begin(session(name), in: store)
            _ = try await revoke(.id(SessionID(name)), in: store)
        }
    }
}
