import CloakroomFiles
import CloakroomTesting
import Foundation
import GRDB
import Testing

@testable import CloakroomSQLite

@Suite struct SchemaTests {
    private let temporary: TemporaryDirectory
    private let path: String

    init() throws {
        temporary = try TemporaryDirectory()
        path = temporary.file("test.sqlite")
    }

    private func execute(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    @Test(
        "a database of another schema version is refused, and the message names both versions",
        arguments: [0, 1, 7, 4000])
    func versions(_ version: Int) throws {
        try SQLiteStore(path: path).close()
        try execute("PRAGMA user_version = \(version)")
        let error = #expect(throws: UnusableData.self) { try SQLiteStore(path: path) }
        let sentence = try #require(error).description
        #expect(sentence.contains("version \(version)") && sentence.contains("version \(Schema.version)"))
        #expect(error?.reason == .damaged)
    }

    @Test(
        "an incomplete database is refused, and the message names what is missing",
        arguments: [
            ("DROP TABLE accounts", "table accounts"), ("DROP TABLE sessions", "table sessions"),
            ("DROP TABLE revocations", "table revocations"), ("DROP TABLE unannounced", "table unannounced"),
            ("DROP TABLE store", "table store"), ("DROP INDEX sessions_of_subject", "index sessions_of_subject"),
            ("DROP TRIGGER events_never_change", "trigger events_never_change"),
            ("ALTER TABLE accounts DROP COLUMN disabled", "column accounts.disabled"),
            ("ALTER TABLE events RENAME COLUMN details TO detail", "column events.details"),
        ])
    func missing(_ sql: String, _ name: String) throws {
        try SQLiteStore(path: path).close()
        try execute(sql)
        let error = #expect(throws: UnusableData.self) { try SQLiteStore(path: path) }
        #expect(error?.description.contains("lacks: \(name)") == true)
        #expect(error?.description.contains("version \(Schema.version)") == true)
    }

    @Test("foreign tables beside ours are accepted")
    func others() throws {
        try SQLiteStore(path: path).close()
        try execute("CREATE TABLE mine (a); CREATE VIEW v AS SELECT * FROM accounts")
        _ = try SQLiteStore(path: path)
    }

    @Test("a foreign database is refused and not changed")
    func foreign() throws {
        try execute("CREATE TABLE mine (a)")
        chmod(path, 0o600)
        #expect(throws: UnusableData.self) { try SQLiteStore(path: path) }
        let tables = try DatabaseQueue(path: path).read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema")
        }
        #expect(tables == ["mine"])
    }

    @Test(
        "a file that is not a database is refused", arguments: ["hello, world, this is no database at all, not at all"])
    func rubbish(_ text: String) throws {
        try Data(String(repeating: text, count: 200).utf8).write(to: URL(filePath: path))
        chmod(path, 0o600)
        let error = #expect(throws: UnusableData.self) { try SQLiteStore(path: path) }
        #expect(error?.reason == .damaged)
    }

    @Test("opening for reading creates no database and does not write to an empty file")
    func looking() throws {
        let error = #expect(throws: UnusableData.self) { try SQLiteStore(path: path, making: false, as: .command) }
        #expect(error?.reason == .missing && temporary.names.isEmpty)
        try Data().write(to: URL(filePath: path))
        chmod(path, 0o600)
        #expect(throws: UnusableData.self) { try SQLiteStore(path: path, making: false, as: .command) }
    }

    @Test(
        "a database may be accessible to its owner and the process's own group only", arguments: ["", "-wal"],
        [
            (0o600, true), (0o640, true), (0o660, true), (0o604, false), (0o602, false), (0o644, false),
            (0o666, false), (0o777, false),
        ])
    func mode(_ suffix: String, _ row: (mode: Int, isAccepted: Bool)) throws {
        let store = try SQLiteStore(path: path)
        chmod(path + suffix, mode_t(row.mode))
        let error = Result { try SQLiteStore(path: path) }.failure as? UnusableData
        #expect((error == nil) == row.isAccepted)
        if let error { #expect(error.reason == .permission && error.description.contains("chmod 600")) }
        store.close()
    }

    @Test("eight processes can open a new database at once, twenty times")
    func parallel() async throws {
        for round in 0..<20 {
            let path = temporary.file("\(round).sqlite")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await SQLiteStore(path: path).ping() }
                }
                try await group.waitForAll()
            }
        }
    }
}
