import CloakroomStores
import CloakroomTesting
import Foundation
import GRDB
import Synchronization
import Testing

@testable import CloakroomSQLite

@Suite struct GroupCommitTests {
    @Test("group commits of SQLite pass the contract", arguments: GroupCommitContract.checks)
    func contract(_ check: GroupCommitContract.Check) async throws {
        try await check.run(on: Fixture.self)
    }

    @Test("no commit into a lost file is acknowledged")
    func lost() async throws {
        let fixture = try Fixture(limits: GroupLimits())
        fixture.loss.isThere.withLock { $0 = true }
        let results = try await GroupCommitContract.gather((0..<20).map { .insert($0) }, fixture)
        for result in results { #expect(throws: GroupCommitContract.Refused.self) { try result.get() } }
        fixture.loss.isThere.withLock { $0 = false }
        #expect(try await fixture.perform(.insert(30)) == 30)
    }

    private final class Loss: Sendable {
        let isThere = Mutex(false)
    }

    /// A database with parents and children. SQLite checks only at the commit that each child has a parent.
    private final class Fixture: GroupCommitFixture {
        private let pool: DatabasePool
        private let group: GroupCommit<SQLiteWork>
        private let counter = CommitCounter()
        private let directory: TemporaryDirectory
        /// Makes commits go to a file that will not be opened again.
        let loss = Loss()

        init(limits: GroupLimits) throws {
            directory = try TemporaryDirectory()
            pool = try DatabasePool(path: directory.file("test.sqlite"))
            try pool.write { database in
                try database.execute(
                    sql: """
                        CREATE TABLE parents (id INTEGER PRIMARY KEY);
                        CREATE TABLE rows (id INTEGER PRIMARY KEY,
                            parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
                        """)
            }
            pool.add(transactionObserver: counter)
            let (pool, loss) = (pool, loss)
            group = GroupCommit(limits: limits) { work in
                try pool.writeWithoutTransaction(work)
                if loss.isThere.withLock({ $0 }) { throw GroupCommitContract.Refused() }
            }
        }

        var waiting: Int { group.waiting }

        func perform(_ write: GroupCommitContract.Write) async throws -> Int {
            try await group.write { database in
                switch write {
                case .insert(let id): return try Self.insert(id, database)
                case .refused(let id):
                    _ = try Self.insert(id, database)
                    throw GroupCommitContract.Refused()
                case .orphan(let id): return try Self.insert(id, parent: 999, database)
                case .fullDisk: throw DatabaseError(resultCode: .SQLITE_FULL)
                case .occupy(let body):
                    body()
                    return 0
                }
            }
        }

        private static func insert(_ id: Int, parent: Int? = nil, _ database: Database) throws -> Int {
            try database.execute(sql: "INSERT INTO rows (id, parent) VALUES (?, ?)", arguments: [id, parent])
            return id
        }

        func rows() throws -> [Int] {
            try pool.read { try Int.fetchAll($0, sql: "SELECT id FROM rows ORDER BY id") }
        }

        func commits() -> Int { counter.count }
    }

    /// Counts the transactions that changed rows.
    private final class CommitCounter: TransactionObserver, Sendable {
        private let state = Mutex((commits: 0, hasChanges: false))
        var count: Int { state.withLock { $0.commits } }

        func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }

        func databaseDidChange(with event: DatabaseEvent) {
            state.withLock { $0.hasChanges = true }
        }

        func databaseDidCommit(_ database: Database) {
            state.withLock { state in
                if state.hasChanges { state.commits += 1 }
                state.hasChanges = false
            }
        }

        func databaseDidRollback(_ database: Database) {
            state.withLock { $0.hasChanges = false }
        }
    }
}
