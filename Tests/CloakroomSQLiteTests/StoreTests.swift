import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Foundation
import GRDB
import Testing

@testable import CloakroomSQLite

@Suite struct StoreTests {
    @Test("the in-memory store passes the contract", arguments: StoreContract.checks)
    func inMemory(_ check: StoreContract.Check) async throws {
        try await check.run(InMemoryStore())
    }

    @Test("the SQLite store passes the contract", arguments: StoreContract.checks)
    func sqlite(_ check: StoreContract.Check) async throws {
        try await withPath { try await check.run(SQLiteStore(path: $0)) }
    }

    private func withPath(_ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        try await body(directory.file("test.sqlite"))
        withExtendedLifetime(directory) {}
    }

    @Test("a ping writes, and the count of sessions has only usable ones")
    func pingAndCount() async throws {
        try await withPath { path in
            let store = try SQLiteStore(path: path)
            let before = try await store.commits.write { $0.totalChangesCount }
            try await store.ping()
            #expect(try await store.commits.write { $0.totalChangesCount } > before)
            #expect(try await store.liveSessions(at: TestEnvironment.start, under: SessionPolicy()) == 0)
        }
    }

    @Test("a document of a session has all of it, for stores outside of this package")
    func savedSession() throws {
        for session in StoreContract.variedSessions() {
            let document = try JSONEncoder().encode(SavedSession(session))
            #expect(try JSONDecoder().decode(SavedSession.self, from: document).session == session)
        }
    }

    @Test("events of a newer version are read with what is known of them, and stop no reader")
    func newerEvents() async throws {
        let documents = [
            #"{"reason":"unheard_of","device":{"key":"k"}}"#, #"{"generation":"seven","count":2}"#, "[1]", "no JSON",
        ]
        try await withPath { path in
            let store = try SQLiteStore(path: path)
            try await store.commits.write { database in
                for document in documents {
                    try database.execute(
                        sql: "INSERT INTO events (kind, time, details) VALUES ('newer', 1, ?)",
                        arguments: [Data(document.utf8)])
                }
            }
            let events = try await store.events(EventQuery(), after: nil, limit: 9).events
            #expect(events.map { $0.details.unknown } == [["device"], ["generation"], ["details"], ["details"]])
            #expect(events.map { $0.details.count } == [nil, 2, nil, nil])
            #expect(events[0].details.reason?.rawValue == "unheard_of")
            #expect(events.allSatisfy { !$0.kind.isKnown && $0.kind.rawValue == "newer" })
        }
    }

    @Test("the database is readable by its owner alone")
    func mode() async throws {
        try await withPath { path in
            let store = try SQLiteStore(path: path)
            defer { withExtendedLifetime(store) {} }
            for file in [path, path + "-wal"] {
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(file)")
            }
        }
    }

    @Test("saved data are there when the database is opened again, the feed included")
    func reopened() async throws {
        try await withPath { path in
            let user = Account(
                subject: Subject("u"), email: try #require(EmailAddress(parsing: "a@example.com")),
                passwordHash: PasswordHash(phc: "h"),
                createdAt: TestEnvironment.start)
            let first = try SQLiteStore(path: path)
            #expect(try await first.add(user, recording: []) != nil)
            let second = try SQLiteStore(path: path)
            #expect(try await second.account(user.subject) == user)
        }
    }

    @Test("commits are flushed to disk (synchronous = FULL), which GRDB undoes when it opens a WAL database")
    func durable() async throws {
        try await withPath { path in
            let store = try SQLiteStore(path: path)
            #expect(try await store.synchronousLevel() == 2)
        }
    }

    @Test("security events can be neither changed nor deleted from the middle")
    func appendOnly() async throws {
        try await withPath { path in
            let store = try SQLiteStore(path: path)
            let events = (0..<3).map { SecurityEvent(.login, at: TestEnvironment.start + .seconds($0)) }
            _ = try await store.record(events)
            let queue = try DatabaseQueue(path: path)
            for sql in [
                "UPDATE events SET kind = 'x'", "DELETE FROM events WHERE position = 2",
                "DELETE FROM events WHERE position = 3",
            ] {
                await #expect(throws: DatabaseError.self) { try await queue.write { try $0.execute(sql: sql) } }
            }
            try await queue.write { try $0.execute(sql: "DELETE FROM events WHERE position = 1") }
        }
    }

    @Test("old events are deleted, new ones stay")
    func eventRetention() async throws {
        try await withPath { path in
            let store = try SQLiteStore(path: path)
            let now = TestEnvironment.start
            _ = try await store.record([SecurityEvent(.login, at: now - .days(91)), SecurityEvent(.login, at: now)])
            #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 1)
            #expect(try await store.sweep(at: now, under: SessionPolicy(), limit: 100) == 0)
        }
    }
}
