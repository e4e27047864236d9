import CloakroomCore
import CloakroomFiles
import CloakroomStores
import Foundation
import GRDB
import Testing

@testable import CloakroomSQLite
@testable import CloakroomTesting

@Suite struct MoveSourceTests {
    private let temporary: TemporaryDirectory
    private let path: String

    init() throws {
        temporary = try TemporaryDirectory()
        path = temporary.file("test.sqlite")
    }

    private func keys(of table: CopiedTable, after start: Int64 = 0) throws -> [CopiedRow.Key] {
        let source = try MoveSource(path: path)
        defer { source.close() }
        return try source.read { rows in
            var keys: [CopiedRow.Key] = []
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
        #expect(try keys(of: .revocations) == ["B", "a", "b", "ä"].map { CopiedRow.Key([.text($0)]) })
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
        let seal = MoveSource.Seal(place: "postgres://db/app", target: 7)
        try source.move(seal) { _ in }
        await #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try await store.ping() }
        await #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try await store.revocations(after: nil) }
        let error = #expect(throws: UnusableData.self) { try SQLiteStore(path: path) }
        #expect(error?.reason == .cannotBeMade && error?.description.contains("postgres://db/app") == true)
        #expect(try source.seal() == seal)
        source.close()
        store.close()
    }

    @Test("a move that fails leaves the database in use")
    func failed() async throws {
        struct Failure: Error {}
        let store = try SQLiteStore(path: path)
        let source = try MoveSource(path: path)
        let seal = MoveSource.Seal(place: "postgres://db/app", target: 7)
        #expect(throws: Failure.self) { try source.move(seal) { _ in throw Failure() } }
        try await store.ping()
        #expect(try source.seal() == nil)
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

    @Test("a restored backup is another migration, and one of moved data is refused")
    func restored() throws {
        try SQLiteStore(path: path).close()
        let backup = temporary.file("backup.sqlite")
        let first = try MoveSource(path: path)
        let number = first.migration
        let seal = MoveSource.Seal(place: "postgres://db/app", target: 7)
        try copyDatabase(to: backup)
        try first.move(seal) { _ in }
        let sealed = temporary.file("sealed.sqlite")
        try copyDatabase(to: sealed)
        first.close()
        _ = try SQLiteStore.restore(backup, to: path, at: TestEnvironment.start)
        let second = try MoveSource(path: path)
        #expect(try second.seal() == nil && second.migration != number)
        second.close()
        #expect(throws: UnusableData.self) { try SQLiteStore.restore(sealed, to: path, at: TestEnvironment.start) }
    }

    private func copyDatabase(to copy: String) throws {
        let queue = try DatabaseQueue(path: copy)
        try DatabaseQueue(path: path).backup(to: queue)
        try queue.close()
    }

    @Test("the refresh secrets of live sessions are those of no expired and no revoked one")
    func refreshKeys() async throws {
        let store = try SQLiteStore(path: path)
        let session = StoreContract.session("live")
        try await StoreContract.fill(store, sessions: [session])
        let source = try MoveSource(path: path)
        func found(at time: Instant) throws -> Set<String> { try source.read { try $0.refreshKeys(at: time) } }
        #expect(try found(at: StoreContract.now) == ["k0"])
        #expect(try found(at: session.expiresAt).isEmpty)
        try await DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE sessions SET revoked_at = 1") }
        #expect(try found(at: StoreContract.now).isEmpty)
        source.close()
        store.close()
    }
}
