import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Foundation
import GRDB
import Testing

@testable import CloakroomSQLite

@Suite struct DatabaseFileTests {
    private let temporary: TemporaryDirectory
    private let path: String

    init() throws {
        temporary = try TemporaryDirectory()
        #expect(mkdir(temporary.file("data"), 0o700) == 0)
        path = temporary.file("data/test.sqlite")
    }

    private static func user(_ name: String) throws -> Account {
        Account(
            subject: Subject(name), email: try #require(EmailAddress(parsing: "\(name)@example.com")),
            passwordHash: PasswordHash(phc: "h"), createdAt: TestEnvironment.start)
    }

    private func move(_ from: String, _ to: String) {
        #expect(rename(temporary.file(from), temporary.file(to)) == 0)
    }

    /// The ways in which the files of a running server can be lost.
    enum Loss: CaseIterable {
        case logDeleted, logReplaced, databaseDeleted, databaseReplaced, directoryRenamed, directoryReplaced
    }

    private func cause(_ loss: Loss) throws {
        switch loss {
        case .logDeleted: #expect(unlink(path + "-wal") == 0)
        case .logReplaced:
            #expect(unlink(path + "-wal") == 0)
            try Data().write(to: URL(filePath: path + "-wal"))
        case .databaseDeleted: #expect(unlink(path) == 0)
        case .databaseReplaced:
            move("data/test.sqlite", "data/old.sqlite")
            try FileManager.default.copyItem(atPath: temporary.file("data/old.sqlite"), toPath: path)
        case .directoryRenamed: move("data", "elsewhere")
        case .directoryReplaced:
            move("data", "elsewhere")
            #expect(mkdir(temporary.file("data"), 0o700) == 0)
        }
    }

    @Test("a write into a file that was deleted or renamed is not acknowledged", arguments: Loss.allCases)
    func loss(_ loss: Loss) async throws {
        let store = try SQLiteStore(path: path)
        #expect(try await store.add(Self.user("ann"), recording: []) != nil)
        try cause(loss)
        await #expect(throws: UnusableData.self) { try await store.add(Self.user("bob"), recording: []) }
        await #expect(throws: UnusableData.self) { try await store.ping() }
        store.close()
    }

    @Test("writes that were acknowledged before the log was deleted are saved into the database")
    func saved() async throws {
        let store = try SQLiteStore(path: path)
        #expect(try await store.add(Self.user("ann"), recording: []) != nil)
        try cause(.logDeleted)
        await #expect(throws: UnusableData.self) { try await store.ping() }
        let copy = temporary.file("copy.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let names = try await DatabaseQueue(path: copy).read {
            try String.fetchAll($0, sql: "SELECT subject FROM accounts")
        }
        #expect(names == ["ann"])
        store.close()
    }

    @Test("a renamed directory is used again when it has its name back")
    func back() async throws {
        let store = try SQLiteStore(path: path)
        try cause(.directoryRenamed)
        await #expect(throws: UnusableData.self) { try await store.ping() }
        move("elsewhere", "data")
        try await waitUntil { (try? await store.ping()) != nil }
        #expect(try await store.add(Self.user("ann"), recording: []) != nil)
        store.close()
        #expect(try await SQLiteStore(path: path).accounts().count == 1)
    }

    @Test("a first page that was damaged and repaired is read again without a restart")
    func mended() async throws {
        let store = try SQLiteStore(path: path)
        for index in 0..<50 { #expect(try await store.add(Self.user("u\(index)"), recording: []) != nil) }
        // This ping allocates the pages for the next one, which then does not change the first page.
        try await store.ping()
        try store.pool.write { _ = try $0.checkpoint(.truncate) }
        let page = try exchange(with: [UInt8](repeating: 0xAA, count: 4096))
        // SQLite reads changed pages again, and so finds the damage.
        try await store.ping()
        await #expect(throws: DatabaseError.self) { try await store.accounts() }
        #expect(store.pool.isSuspect)
        _ = try exchange(with: page)
        try await waitUntil { !store.pool.isSuspect }
        #expect(try await store.accounts().count == 50)
        try await store.ping()
        store.close()
    }

    private func exchange(with bytes: [UInt8]) throws -> [UInt8] {
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        let before = try handle.read(upToCount: bytes.count) ?? Data()
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: bytes)
        try handle.close()
        return Array(before)
    }

    @Test("closing writes the log into the database, so that a copy of this file is complete")
    func closed() async throws {
        let store = try SQLiteStore(path: path)
        #expect(try await store.add(Self.user("ann"), recording: []) != nil)
        store.close()
        #expect(try FileAccess.status(of: path + "-wal") == nil)
        await #expect(throws: UnusableData.self) { try await store.ping() }
        #expect(try await SQLiteStore(path: path).accounts().count == 1)
    }

    @Test("while the database cannot grow the ping fails, and succeeds again afterwards")
    func full() async throws {
        let store = try SQLiteStore(path: path)
        let limit = try await store.commits.write { try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1") }
        #expect((limit ?? 0) > 1)
        await #expect(throws: DatabaseError.self) { try await store.ping() }
        _ = try await store.commits.write { try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1000000") }
        try await store.ping()
        store.close()
    }

    @Test("events of a command are taken over once, by any server; events of a server never")
    func unannounced() async throws {
        let servers = [try SQLiteStore(path: path), try SQLiteStore(path: path)]
        let command = try SQLiteStore(path: path, making: false, as: .command)
        let events = (0..<5).map {
            SecurityEvent(.revocation, at: TestEnvironment.start + .seconds($0), details: .init(count: Int($0)))
        }
        _ = try await command.record(events)
        _ = try await servers[0].record([SecurityEvent(.login, at: TestEnvironment.start)])
        var taken: [SecurityEvent] = []
        for round in 0..<6 { taken += try await servers[round % 2].takeUnannouncedEvents(limit: 2) }
        #expect(taken == events)
        for store in servers + [command] { store.close() }
    }
}
