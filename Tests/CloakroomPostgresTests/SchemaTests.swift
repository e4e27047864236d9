import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Foundation
import Testing

@testable import CloakroomPostgres

@Suite struct SchemaTests {
    private let database: PostgresCluster.Database

    init() throws {
        database = try PostgresCluster.shared.get().database()
    }

    @Test("eight stores can create the tables at once", arguments: PostgresCluster.Path.allCases)
    func parallel(_ path: PostgresCluster.Path) async throws {
        let database = database
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { try await PostgresStore(url: database.url(path)).ping() }
            }
            try await group.waitForAll()
        }
        #expect(
            try database.run("SELECT version::text FROM cloakroom.migrations ORDER BY version")
                == Schema.migrations.map { "\($0.version)" })
        #expect(try database.run("SELECT count(*)::text FROM cloakroom.epochs") == ["1"])
    }

    @Test("tables that a newer build has changed are refused, unless this build still works with them")
    func newer() throws {
        _ = try PostgresStore(url: database.url())
        try database.run("INSERT INTO cloakroom.migrations (version, works_with) VALUES (98, \(Schema.version))")
        _ = try PostgresStore(url: database.url())
        try database.run("INSERT INTO cloakroom.migrations (version, works_with) VALUES (99, 99)")
        let error = #expect(throws: UnusableData.self) { try PostgresStore(url: database.url()) }
        #expect(error?.reason == .damaged && error?.description.contains("version 99") == true)
        #expect(throws: UnusableData.self) { try PostgresStore.migrate(database.address()) }
    }

    @Test("opening for reading creates no tables, and migrating creates them once")
    func migrating() throws {
        let error = #expect(throws: UnusableData.self) {
            try PostgresStore(database.address(), making: false, as: .command)
        }
        #expect(error?.reason == .missing)
        #expect(try database.run("SELECT to_regclass('cloakroom.sessions') IS NULL") == ["\u{1}"])
        #expect(try PostgresStore.migrate(database.address()) == Schema.migrations.map(\.version))
        #expect(try PostgresStore.migrate(database.address()) == [])
        _ = try PostgresStore(database.address(), making: false, as: .command)
    }

    @Test("security events can be neither changed nor deleted")
    func appendOnly() async throws {
        let store = try PostgresStore(url: database.url())
        _ = try await store.record([SecurityEvent(.login, at: TestEnvironment.start)])
        for sql in ["UPDATE cloakroom.events SET kind = 'x'", "DELETE FROM cloakroom.events"] {
            #expect(throws: ServerError.self) { try database.run(sql) }
        }
    }

    @Test("events are kept by month, and a month is dropped when its last event is 90 days old")
    func months() async throws {
        let store = try PostgresStore(url: database.url())
        let now = TestEnvironment.start  // 2027-01-15
        let days: [Int64] = [0, 60, 107, 108, 400]
        _ = try await store.record(days.map { SecurityEvent(.login, at: now - .days($0)) })
        let names = "SELECT relname::text FROM pg_class WHERE relname ~ '^events_[0-9]+_[0-9]+$' ORDER BY relname"
        #expect(
            try database.run(names) == ["events_2025_12", "events_2026_09", "events_2026_11", "events_2027_01"])
        #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 2)
        #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 0)
        #expect(try database.run(names) == ["events_2026_11", "events_2027_01"])
        #expect(try await store.events(EventQuery(), after: nil, limit: 9).events.count == 2)
    }

    @Test(
        "months have their boundaries at midnight UTC, also in leap years",
        arguments: [
            ("2024-02-29T23:59:59Z", "events_2024_02", "2024-03-01T00:00:00Z"),
            ("2024-03-01T00:00:00Z", "events_2024_03", "2024-04-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "events_2026_12", "2027-01-01T00:00:00Z"),
            ("2027-01-01T00:00:00Z", "events_2027_01", "2027-02-01T00:00:00Z"),
            ("1970-01-01T00:00:00Z", "events_1970_01", "1970-02-01T00:00:00Z"),
        ])
    func boundaries(_ row: (time: String, table: String, end: String)) throws {
        let month = EventMonth(of: try instant(row.time))
        let end = try instant(row.end)
        #expect(month.table == row.table && month.next.start == end)
        #expect(EventMonth(table: row.table) == month && EventMonth(of: month.start) == month)
    }

    private func instant(_ text: String) throws -> Instant {
        let date = try #require(ISO8601DateFormatter().date(from: text))
        return Instant(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
    }
}
