import CloakroomCore
package import CloakroomStores

/// What every key store must do, as a list of checks, as `StoreContract`.
package enum KeyStoreContract {
    package struct Check: Sendable, CustomStringConvertible {
        package let description: String
        let body: @Sendable (any KeyStore) async throws -> Void

        /// Runs the check on an empty store.
        package func run(_ store: any KeyStore) async throws {
            try await body(store)
        }
    }

    package static let checks = [
        Check(description: "rows come back as they were added, in the order of their ids") { store in
            try demand(try await store.keyRows().isEmpty, "not empty")
            let rows = [row("b", period: 1), row("a", .refresh, "HS256"), row("c", .signing, "Ed25519", longest: 7)]
            try await change(store) { $0.added = rows }
            try demand(try await store.keyRows() == rows.sorted { $0.id < $1.id }, "changed")
        },
        Check(description: "of many instances that take one period at once, one gets it") { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        try await change(store) {
                            $0.added = [row("s\(number)"), row("r\(number)", .refresh, "HS256")]
                        }
                    }
                }
                try await group.waitForAll()
            }
            let rows = try await store.keyRows()
            try demand(rows.map(\.identity.kind.rawValue).sorted() == ["refresh", "signing"], "\(rows.map(\.id))")
        },
        Check(description: "an id or a period that exists is skipped, and the other rows of the change are added") {
            store in
            try await change(store) { $0.added = [row("a")] }
            try await change(store) {
                $0.added = [row("a", period: 9), row("x"), row("b", period: 1), row("y", .refresh)]
            }
            let rows = try await store.keyRows()
            try demand(rows == [row("a"), row("b", period: 1), row("y", .refresh)], "\(rows.map(\.id))")
        },
        Check(description: "an ended key has no bytes any more, and cannot be added again") { store in
            try await change(store) { $0.added = [row("a"), row("b", period: 1)] }
            try await change(store) {
                $0.retired = ["a"]
                $0.removed = ["b"]
            }
            try await change(store) { $0.added = [row("a"), row("b", period: 1), row("c"), row("d", period: 2)] }
            try demand(try await states(store) == ["a": .retired, "b": .removed, "d": .live(sealed: [1])], "ended")
        },
        Check(description: "a removed key stays removed, and a retired one can be removed") { store in
            try await change(store) { $0.added = [row("a"), row("b", period: 1)] }
            try await change(store) {
                $0.retired = ["a"]
                $0.removed = ["b"]
            }
            try await change(store) {
                $0.removed = ["a"]
                $0.retired = ["b"]
            }
            try demand(try await states(store) == ["a": .removed, "b": .removed], "not both")
        },
        Check(description: "the mark of a removed key is added where there is no row, and takes no period") { store in
            try await change(store) { $0.removed = ["a", "b"] }
            try await change(store) { $0.retired = ["unknown"] }
            try await change(store) { $0.added = [row("a"), row("c")] }
            try demand(
                try await states(store) == ["a": .removed, "b": .removed, "c": .live(sealed: [1])], "no marks")
        },
        Check(description: "another seal replaces the one that was read, and no other") { store in
            try await change(store) { $0.added = [row("a"), row("b", period: 1)] }
            try await change(store) {
                $0.resealed = [.init(id: "a", old: [1], new: [2]), .init(id: "b", old: [7], new: [2])]
            }
            try demand(try await states(store) == ["a": .live(sealed: [2]), "b": .live(sealed: [1])], "seals")
            try await change(store) { $0.removed = ["a"] }
            try await change(store) { $0.resealed = [.init(id: "a", old: [2], new: [3])] }
            try demand(try await states(store)["a"] == .removed, "a removed key")
        },
        Check(description: "the longest session of live keys is raised and never lowered") { store in
            try await change(store) { $0.added = [row("a", longest: 5), row("b", period: 1, longest: 50)] }
            try await change(store) { $0.longestSession = .days(20) }
            try await change(store) { $0.longestSession = .days(10) }
            let rows = try await store.keyRows()
            try demand(rows.map(\.longestSession) == [.days(20), .days(50)], "\(rows.map(\.longestSession))")
        },
    ]

    private static func demand(_ condition: Bool, _ what: String) throws {
        try StoreContract.demand(condition, what)
    }

    private static func change(_ store: any KeyStore, _ fill: (inout KeyTableChange) -> Void) async throws {
        var change = KeyTableChange()
        fill(&change)
        try await store.change(change)
    }

    private static func states(_ store: any KeyStore) async throws -> [String: KeyRow.State] {
        Dictionary(uniqueKeysWithValues: try await store.keyRows().map { ($0.id, $0.state) })
    }

    private static func row(
        _ id: String, _ kind: KeyIdentity.Kind = .signing, _ algorithm: String = "ES256", period: Int64 = 0,
        longest days: Int64 = 90
    ) -> KeyRow {
        KeyRow(
            KeyIdentity(
                id: id, kind: kind, algorithm: algorithm, period: period, createdAt: StoreContract.now,
                signsFrom: StoreContract.now + .minutes(10)),
            .live(sealed: [1]), longestSession: .days(days))
    }
}
