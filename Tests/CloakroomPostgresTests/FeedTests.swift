import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Testing

@testable import CloakroomPostgres

@Suite struct FeedTests {
    private let database: PostgresCluster.Database
    private let store: PostgresStore

    init() throws {
        database = try PostgresCluster.shared.get().database()
        store = try PostgresStore(url: database.url())
    }

    private static func insertion(_ names: String, from first: Int = 1, to last: Int) -> Statement {
        .single(
            """
            INSERT INTO cloakroom.revocations (session, time)
            SELECT '\(names)' || lpad(n::text, 6, '0'), n FROM generate_series(\(first), \(last)) AS n
            """)
    }

    /// Reads to the end of the feed.
    private func read(after cursor: FeedCursor?) async throws -> (sessions: [String], cursor: FeedCursor?) {
        var (sessions, cursor): ([String], FeedCursor?) = ([], cursor)
        while true {
            let page = try await store.revocations(after: cursor)
            cursor = page.cursor
            guard !page.isEmpty else { return (sessions, cursor) }
            sessions += page.revoked.map(\.session.rawValue)
        }
    }

    @Test("a revocation that commits after later ones were read is read next, once")
    func commitsOutOfOrder() async throws {
        let slow = try database.connect()
        _ = try slow.transaction([.single("BEGIN"), Self.insertion("slow", to: 1)])
        try database.run("INSERT INTO cloakroom.revocations (session, time) VALUES ('fast', 1)")
        let first = try await read(after: nil)
        #expect(first.sessions == ["fast"])
        _ = try slow.transaction([.single("COMMIT")])
        let second = try await read(after: first.cursor)
        #expect(second.sessions == ["slow000001"])
        #expect(try await read(after: second.cursor).sessions == [])
    }

    @Test("a transaction that commits between two pages of a read is read after it, once")
    func pages() async throws {
        let slow = try database.connect()
        _ = try slow.transaction([.single("BEGIN"), Self.insertion("slow", to: 3)])
        for part in 0..<3 {
            _ = try database.connect().transaction([Self.insertion("p\(part)-", to: 4000)])
        }
        let first = try await store.revocations(after: nil)
        #expect(first.revoked.count == 5000)
        _ = try slow.transaction([.single("COMMIT")])
        let rest = try await read(after: first.cursor)
        let all = first.revoked.map(\.session.rawValue) + rest.sessions
        #expect(all.count == 12003 && Set(all).count == 12003)
        #expect(all.suffix(3) == ["slow000001", "slow000002", "slow000003"])
    }

    @Test("of writers that commit in any order, each revocation is read once")
    func writers() async throws {
        let (store, database) = (store, database)
        let stopped = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        let connection = try database.connect()
                        for step in 0..<60 {
                            _ = try connection.transaction([
                                .single("BEGIN"), Self.insertion("w\(writer)-", from: step, to: step),
                            ])
                            try await Task.sleep(for: .milliseconds(Int.random(in: 0...3)))
                            _ = try connection.transaction([.single("COMMIT")])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        var (seen, cursor): ([String], FeedCursor?) = ([], nil)
        while seen.count < 480 {
            let page = try await store.revocations(after: cursor)
            cursor = page.cursor
            seen += page.revoked.map(\.session.rawValue)
        }
        _ = try await stopped.value
        #expect(try await read(after: cursor).sessions == [])
        #expect(Set(seen).count == 480 && seen.count == 480)
    }

    @Test(
        "a cursor that no feed has given starts at the beginning",
        arguments: [
            "", "x", "5:3:", "0:9:", "3:9:4,x", "3:9:5,4", "3:9:9", "3:9:/3:9:/x/k", "3:9:/3:9:",
            // Numbers that this server has not given out yet: its files were replaced by older ones.
            "900000000:900000000:", "3:9:/3:900000000:/3/k",
            "99999999999999999999:1:",
            "18446744073709551615:18446744073709551615:",
        ])
    func foreignCursor(_ text: String) async throws {
        try database.run("INSERT INTO cloakroom.revocations (session, time) VALUES ('a', 1)")
        let epoch = try #require(try await store.revocations(after: nil).cursor.rawValue.split(separator: "-").first)
        let page = try await store.revocations(after: FeedCursor("\(epoch)-\(text)"))
        #expect(page.isStart && page.revoked.map(\.session.rawValue) == ["a"])
    }

    @Test("a database that was restored into another cluster has a new epoch, and its old rows are read")
    func restored() async throws {
        let before = try await store.revocations(after: nil)
        try database.run("UPDATE cloakroom.epochs SET system = 'another'")
        // A number that this cluster has not reached, as a dump of an older cluster brings it.
        try database.run("INSERT INTO cloakroom.revocations (session, time, xid) VALUES ('a', 1, '900000000')")
        #expect(try await store.revocations(after: nil).revoked.isEmpty)
        let restarted = try PostgresStore(url: database.url())
        let page = try await restarted.revocations(after: before.cursor)
        #expect(page.isStart)
        #expect(page.revoked.map(\.session.rawValue) == ["a"])
        #expect(try await restarted.revocations(after: page.cursor).isEmpty)
        let again = try PostgresStore(url: database.url())
        #expect(try await again.revocations(after: page.cursor).isStart == false)
    }

    @Test("a cursor for other machines is short with any number of running transactions, and skips nothing")
    func manyTransactions() async throws {
        let running = try (0..<60).map { number in
            let connection = try database.connect()
            _ = try connection.transaction([.single("BEGIN"), Self.insertion("t\(number)-", to: 1)])
            return connection
        }
        try database.run("INSERT INTO cloakroom.revocations (session, time) VALUES ('a', 1)")
        let page = try await store.revocations(after: nil)
        #expect(page.cursor.rawValue.utf8.count > 256 && page.resumption.rawValue.utf8.count <= 200)
        for connection in running { _ = try connection.transaction([.single("COMMIT")]) }
        #expect(try await read(after: page.cursor).sessions.count == 60)
        let resumed = try await read(after: page.resumption).sessions
        #expect(Set(resumed).isSuperset(of: (0..<60).map { "t\($0)-000001" }))
    }

    @Test("a proof is a write: where that waits, as without a standby, the proof waits and a plain read does not")
    func proofIsWrite() async throws {
        _ = try await store.currentRevocations(after: nil)
        let blocker = try database.connect()
        _ = try blocker.transaction([.single("BEGIN"), .single("LOCK TABLE cloakroom.instances IN EXCLUSIVE MODE")])
        // A proof waits for a second at most: on a slow machine it is asked for again.
        let proof = Task {
            while true {
                if let page = try? await store.currentRevocations(after: nil) { return page }
            }
        }
        let waiting = """
            SELECT count(*)::text FROM pg_locks
            WHERE NOT granted AND relation = 'cloakroom.instances'::regclass
            """
        try await waitUntil { try database.run(waiting) == ["1"] }
        let reader = try PostgresStore(url: database.url())
        #expect(try await reader.revocations(after: nil).isStart)
        _ = try blocker.transaction([.single("ROLLBACK")])
        #expect(await proof.value.isStart)
    }
}
