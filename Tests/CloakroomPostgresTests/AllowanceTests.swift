import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Testing

@testable import CloakroomPostgres

@Suite struct AllowanceTests {
    private let database: PostgresCluster.Database

    init() throws {
        database = try PostgresCluster.shared.get().database()
    }

    /// Gives the database a clock that stands still until the test moves it: PostgreSQL finds its own functions last, by
    /// the search path.
    private func stopClock() throws {
        for sql in [
            "CREATE SCHEMA fake", "CREATE TABLE fake.clock (now timestamptz)",
            "INSERT INTO fake.clock VALUES (pg_catalog.clock_timestamp())",
            """
            CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
            AS 'SELECT now FROM fake.clock'
            """,
            "ALTER DATABASE \(database.name) SET search_path = fake, pg_catalog, public",
        ] { try database.run(sql) }
    }

    private func advance(_ seconds: Int64) throws {
        try database.run("UPDATE fake.clock SET now = now + '\(seconds) seconds'")
    }

    private func charge(_ name: String, of tries: Double = 20) -> AllowanceCharge {
        AllowanceContract.charge(name, of: tries)
    }

    private func names() throws -> [String] {
        try database.run("SELECT convert_from(name, 'UTF8') FROM cloakroom.allowances ORDER BY name")
    }

    /// Charges the tries all at once, each through the next store.
    /// - Returns: how many were charged.
    private func chargeAll(_ tries: [[AllowanceCharge]], in stores: [PostgresStore]) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for (index, charges) in tries.enumerated() {
                let store = stores[index % stores.count]
                group.addTask { try await store.charge([charges]).count { (try? $0.get()) != nil } }
            }
            return try await group.reduce(0, +)
        }
    }

    @Test(
        "the PostgreSQL store passes the contract of allowances, also behind pgbouncer in transaction mode",
        arguments: AllowanceContract.checks, PostgresCluster.Path.allCases)
    func contract(_ check: AllowanceContract.Check, _ path: PostgresCluster.Path) async throws {
        try stopClock()
        try await check.run(PostgresStore(url: database.url(path))) { try advance($0) }
    }

    @Test("over three stores as many tries are charged as in one, with groups of any size", arguments: [1, 256])
    func stores(_ group: Int) async throws {
        try stopClock()
        let stores = try (0..<3).map { _ in try PostgresStore(url: database.url(.direct, "group=\(group)")) }
        let tries = (0..<300).map { index in
            // Different orders, and names that some have in common.
            let charges = [charge("account"), charge("network \(index % 7)", of: 100), charge("all", of: 1000)]
            return index % 2 == 0 ? charges : charges.reversed()
        }
        #expect(try await chargeAll(tries, in: stores) == 20)
        #expect(try await chargeAll((0..<99).map { _ in [charge("all", of: 1000)] }, in: stores) == 99)
        let left = try await stores[0].charge((0..<1000).map { _ in [charge("all", of: 1000)] })
        #expect(left.count { (try? $0.get()) != nil } == 1000 - 20 - 99)
    }

    @Test("to charge and to give back at once loses nothing")
    func giveBack() async throws {
        try stopClock()
        let stores = try (0..<3).map { _ in try PostgresStore(url: database.url()) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<90 {
                group.addTask {
                    let store = stores[index % 3]
                    let charges = [charge("a", of: 100), charge("b", of: 100)]
                    let answers = try await store.charge([index % 2 == 0 ? charges : charges.reversed()])
                    try await store.giveBack(answers.map { try $0.get() })
                }
            }
            try await group.waitForAll()
        }
        let tries = (0..<120).map { _ in [charge("a", of: 100), charge("b", of: 100)] }
        #expect(try await chargeAll(tries, in: stores) == 100)
    }

    @Test("an allowance outlives the connections and the process that charged it")
    func durable() async throws {
        try stopClock()
        let store = try PostgresStore(url: database.url())
        #expect(try await chargeAll((0..<15).map { _ in [charge("a")] }, in: [store]) == 15)
        try database.disconnectAll()
        #expect(try await chargeAll((0..<15).map { _ in [charge("a")] }, in: [store]) == 5)
        #expect(try await chargeAll([[charge("a")]], in: [PostgresStore(url: database.url())]) == 0)
    }

    @Test("the sweep deletes the rows of whole allowances, and no others")
    func sweep() async throws {
        try stopClock()
        let store = try PostgresStore(url: database.url())
        _ = try await store.charge([[charge("whole in a minute", of: 1)], [charge("whole in three seconds")]])
        let refused = [charge("never charged"), charge("whole in a minute", of: 1)]
        #expect(try await chargeAll([refused], in: [store]) == 0)
        #expect(try names() == ["never charged", "whole in a minute", "whole in three seconds"])
        let now = Instant(milliseconds: 0)
        #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 1)
        try advance(4)
        #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 1)
        #expect(try names() == ["whole in a minute"])
        #expect(try await chargeAll([[charge("whole in a minute", of: 1)]], in: [store]) == 0)
        try advance(57)
        #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 1)
        #expect(try await chargeAll([[charge("whole in a minute", of: 1)]], in: [store]) == 1)
    }

    @Test("a store that takes no writes charges nothing, and says so")
    func readOnly() async throws {
        let store = try PostgresStore(url: database.url())
        try database.run("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
        try database.disconnectAll()
        await #expect(throws: (any Error).self) { try await store.charge([[charge("a")]]) }
    }

    @Test("a renewal does not wait for a row that is being charged")
    func lanes() async throws {
        let store = try PostgresStore(url: database.url())
        _ = try await store.charge([[charge("a")]])
        let other = try database.connect()
        _ = try other.transaction([.single("BEGIN"), .single("SELECT FROM cloakroom.allowances FOR UPDATE")])
        async let waiting = store.charge([[charge("a")]])
        for _ in 0..<3 { try await store.ping() }
        _ = try other.transaction([.single("COMMIT")])
        // On a slow machine it has waited for too long.
        _ = try? await waiting
        try await waitUntil { (try? await store.charge([[charge("a")]])) != nil }
    }
}
