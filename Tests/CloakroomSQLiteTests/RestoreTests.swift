import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Foundation
import GRDB
import Testing

@testable import CloakroomSQLite

@Suite struct RestoreTests {
    private let temporary: TemporaryDirectory
    private let path: String
    private let backup: String
    private let now = TestEnvironment.start

    init() throws {
        temporary = try TemporaryDirectory()
        path = temporary.file("test.sqlite")
        backup = temporary.file("backup")
    }

    private func add(_ name: String, _ store: SQLiteStore) async throws {
        let user = Account(
            subject: Subject(name), email: try #require(EmailAddress(parsing: "\(name)@example.com")),
            passwordHash: PasswordHash(phc: "h"), createdAt: now)
        #expect(try await store.add(user, recording: [SecurityEvent(.signUp, at: now, subject: user.subject)]) != nil)
    }

    /// Creates a database with ann, a backup of it, and then bob.
    private func prepare() async throws {
        let store = try SQLiteStore(path: path)
        try await add("ann", store)
        let copy = try DatabaseQueue(path: backup)
        try DatabaseQueue(path: path).backup(to: copy)
        try copy.close()
        try await add("bob", store)
        store.close()
    }

    @Test("after a restore the database has the backup and no later change")
    func restored() async throws {
        try await prepare()
        let bytes = FileManager.default.contents(atPath: backup)
        let restored = try SQLiteStore.restore(backup, to: path, at: now)
        #expect(restored.accounts == 1)
        #expect(FileManager.default.contents(atPath: backup) == bytes, "the backup is not changed")
        let store = try SQLiteStore(path: path)
        #expect(try await store.accounts().map(\.subject.rawValue) == ["ann"])
        #expect(temporary.names == ["test.sqlite", "test.sqlite-wal", "test.sqlite-shm", "test.sqlite.lock", "backup"])
        store.close()
    }

    @Test("the log of a killed server is not replayed over the backup")
    func killed() async throws {
        try await prepare()
        let store = try SQLiteStore(path: path)
        try await add("carl", store)
        let log = try #require(FileManager.default.contents(atPath: path + "-wal"))
        let database = try #require(FileManager.default.contents(atPath: path))
        store.close()
        // The files as `kill -9` leaves them.
        try database.write(to: URL(filePath: path))
        try log.write(to: URL(filePath: path + "-wal"))
        for file in [path, path + "-wal"] { chmod(file, 0o600) }
        _ = try SQLiteStore.restore(backup, to: path, at: now)
        #expect(try await SQLiteStore(path: path).accounts().map(\.subject.rawValue) == ["ann"])
    }

    @Test(
        "restore refuses while a server or a command uses the database",
        arguments: [SQLiteStore.Role.server, .command])
    func busy(_ role: SQLiteStore.Role) async throws {
        try await prepare()
        let store = try SQLiteStore(path: path, as: role)
        let error = #expect(throws: UnusableData.self) { try SQLiteStore.restore(backup, to: path, at: now) }
        #expect(error?.reason == .busy)
        #expect(try await store.accounts().count == 2)
        store.close()
    }

    /// The defects of a backup.
    enum Fault: CaseIterable {
        case missing, empty, rubbish, damagedPage, newer, foreign, directory
    }

    private func spoil(_ fault: Fault) throws {
        let url = URL(filePath: backup)
        switch fault {
        case .missing: try FileManager.default.removeItem(at: url)
        case .empty: try Data().write(to: url)
        case .rubbish: try Data(repeating: 7, count: 20000).write(to: url)
        case .damagedPage:
            let handle = try FileHandle(forUpdating: url)
            try handle.seek(toOffset: 4096 + 8)
            try handle.write(contentsOf: Data(repeating: 0xFF, count: 4000))
            try handle.close()
        case .newer: try DatabaseQueue(path: backup).write { try $0.execute(sql: "PRAGMA user_version = 9") }
        case .foreign:
            try FileManager.default.removeItem(at: url)
            try DatabaseQueue(path: backup).write { try $0.execute(sql: "CREATE TABLE a (b)") }
        case .directory:
            try FileManager.default.removeItem(at: url)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        }
    }

    @Test("an unusable backup leaves the database unchanged", arguments: Fault.allCases)
    func unusable(_ fault: Fault) async throws {
        try await prepare()
        try spoil(fault)
        #expect(throws: UnusableData.self) { try SQLiteStore.restore(backup, to: path, at: now) }
        #expect(!temporary.names.contains { $0.contains("restoring") })
        #expect(try await SQLiteStore(path: path).accounts().count == 2)
    }

    @Test("the mode of the database is kept; a new one is private to its owner", arguments: [nil, 0o600, 0o640, 0o660])
    func mode(_ mode: Int?) async throws {
        try await prepare()
        chmod(backup, 0o644)
        if let mode { chmod(path, mode_t(mode)) } else { unlink(path) }
        _ = try SQLiteStore.restore(backup, to: path, at: now)
        #expect(temporary.mode("test.sqlite") == mode ?? 0o600)
    }

    @Test("positions and the epoch continue from where they were, and the restore is recorded")
    func positions() async throws {
        try await prepare()
        func last() throws -> (position: Int64, kind: String) {
            let row = try DatabaseQueue(path: path).read {
                try Row.fetchOne($0, sql: "SELECT position, kind FROM events ORDER BY position DESC")
            }
            return try #require(row.map { ($0[0], $0[1]) })
        }
        let before = try last()
        #expect(try SQLiteStore.restore(backup, to: path, at: now).epoch == 2)
        let after = try last()
        #expect(after.position == before.position + 1 && after.kind == "restore")
        #expect(try SQLiteStore.restore(backup, to: path, at: now).epoch == 3)
        let store = try SQLiteStore(path: path)
        #expect(try await store.epoch() == 3)
        #expect(try await store.takeUnannouncedEvents(limit: 10).map(\.details.epoch) == [3])
        store.close()
    }
}
