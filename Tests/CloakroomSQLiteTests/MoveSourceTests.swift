import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Foundation
import GRDB
import Testing

@testable import CloakroomSQLite

@Suite struct MoveSourceTests {
    private let temporary: TemporaryDirectory
    private let path: String

    init() throws {
        temporary = try TemporaryDirectory()
        path = temporary.file("test.sqlite")
    }

    private func keys(of table: CopiedTable, after start: Int64 = 0) throws -> [[CopiedRow.Value]] {
        let source = try MoveSource(path: path)
        defer { source.close() }
        return try source.read { rows in
            var keys: [[CopiedRow.Value]] = []
            try rows.pages(of: table, after: start, by: 2) { page in
                #expect((1...2).contains(page.count))
                keys += page.map { $0.key(in: table) }
            }
            return keys
        }
    }

    @Test("rows come in the order of the bytes of their keys, and a session is in the feed once")
    func order() throws {
        try SQLiteStore(path: path).close()
        try DatabaseQueue(path: path).writeWithoutTransaction { database in
            for name in ["b", "ä", "B", "a", "b"] {
                try database.execute(
                    sql: "INSERT INTO revocations (session, time) VALUES (?, 1)", arguments: [name])
            }
        }
        #expect(try keys(of: .revocations) == ["B", "a", "b", "ä"].map { [.text($0)] })
    }

    @Test("an event has the same id in each run, in the order of the positions")
    func events() async throws {
        let store = try SQLiteStore(path: path)
        for _ in 0..<3 { _ = try await store.record([SecurityEvent(.login, at: TestEnvironment.start)]) }
        store.close()
        let all = try keys(of: .events)
        #expect(try all.count == 3 && keys(of: .events) == all)
        #expect(try keys(of: .events, after: 2) == [all[2]])
        let ids = [1, 255, 256, Int64(1) << 40].map { MoveRows.id(ofEventAt: $0, in: 7) }
        #expect(ids == ids.sorted() && ids.allSatisfy { UUID(uuidString: $0) != nil })
    }

    @Test("a running server is refused after the move, and no other process opens the database")
    func sealed() async throws {
        let store = try SQLiteStore(path: path)
        _ = try await store.record([SecurityEvent(.login, at: TestEnvironment.start)])
        let source = try MoveSource(path: path)
        try source.move(to: "postgres://db/app") { _ in }
        await #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try await store.ping() }
        await #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try await store.revocations(after: nil) }
        let error = #expect(throws: UnusableData.self) { try SQLiteStore(path: path) }
        #expect(error?.reason == .cannotBeMade && error?.description.contains("postgres://db/app") == true)
        #expect(try source.movedTo() == "postgres://db/app")
        source.close()
        store.close()
    }

    @Test("a move that fails leaves the database in use")
    func failed() async throws {
        struct Failure: Error {}
        let store = try SQLiteStore(path: path)
        let source = try MoveSource(path: path)
        #expect(throws: Failure.self) { try source.move(to: "postgres://db/app") { _ in throw Failure() } }
        try await store.ping()
        #expect(try source.movedTo() == nil)
        source.close()
        store.close()
    }

    @Test("one migration has one number, and two at once are refused")
    func number() throws {
        try SQLiteStore(path: path).close()
        let first = try MoveSource(path: path)
        let error = #expect(throws: UnusableData.self) { try MoveSource(path: path) }
        #expect(error?.reason == .busy)
        first.close()
    }
}
