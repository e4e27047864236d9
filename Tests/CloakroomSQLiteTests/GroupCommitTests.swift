import CloakroomCore
import CloakroomTesting
import Dispatch
import Foundation
import GRDB
import Synchronization
import Testing

@testable import CloakroomSQLite

@Suite struct GroupCommitTests {
    private struct Refused: Error {}

    private final class Loss: Sendable {
        let isThere = Mutex(false)
    }

    /// A database with parents and children. SQLite checks only at the commit that each child has a parent.
    private final class Fixture: Sendable {
        let pool: DatabasePool
        let commits: GroupCommit
        let counter = CommitCounter()
        /// Makes commits go to a file that will not be opened again.
        let loss = Loss()
        private let path = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID()).sqlite").path

        init(queueLimit: Int = 8192, longestWait: Duration = .seconds(10)) throws {
            pool = try DatabasePool(path: path)
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
            commits = GroupCommit(queueLimit: queueLimit, longestWait: longestWait) { work in
                try pool.writeWithoutTransaction(work)
                if loss.isThere.withLock({ $0 }) { throw Refused() }
            }
        }

        deinit {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }

        func rows() throws -> [Int] {
            try pool.read { try Int.fetchAll($0, sql: "SELECT id FROM rows ORDER BY id") }
        }

        /// Keeps the disk busy until all `writes` are queued.
        /// - Parameters:
        ///   - late: a write that arrives when all others are queued, and must be refused.
        ///   - pause: how much longer the disk is busy.
        func gather(
            _ writes: [@Sendable (Database) throws -> Int],
            thenRefusing late: (@Sendable (Database) throws -> Int)? = nil, hanging pause: Duration = .zero
        ) async throws -> [Result<Int, any Error>] {
            let gate = DispatchSemaphore(value: 0)
            let busy = DispatchSemaphore(value: 0)
            return try await withThrowingTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
                // A failed wait must not block the first member, and with it the task group, forever.
                defer { gate.signal() }
                group.addTask { [commits] in
                    let first = await result {
                        try await commits.write { _ in
                            busy.signal()
                            gate.wait()
                            return 0
                        }
                    }
                    return (-1, first)
                }
                try await waitUntil { busy.wait(timeout: .now()) == .success }
                for (index, write) in writes.enumerated() {
                    group.addTask { [commits] in (index, await result { try await commits.write(write) }) }
                }
                try await waitUntil { [commits] in commits.waiting == writes.count }
                if let late {
                    let refusal = await result { try await commits.write(late) }
                    #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try refusal.get() }
                }
                try? await Task.sleep(for: pause)
                gate.signal()
                var results: [Int: Result<Int, any Error>] = [:]
                for try await (index, result) in group { results[index] = result }
                return writes.indices.compactMap { results[$0] }
            }
        }
    }

    private final class CommitCounter: TransactionObserver, Sendable {
        private let commits = Mutex(0)
        var count: Int { commits.withLock { $0 } }

        func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
        func databaseDidChange(with event: DatabaseEvent) {}
        func databaseDidCommit(_ database: Database) { commits.withLock { $0 += 1 } }
        func databaseDidRollback(_ database: Database) {}
    }

    private static func insert(_ id: Int, parent: Int? = nil) -> @Sendable (Database) throws -> Int {
        { database in
            try database.execute(sql: "INSERT INTO rows (id, parent) VALUES (?, ?)", arguments: [id, parent])
            return id
        }
    }

    @Test("requests that wait for the same flush are committed together, and each gets its own result")
    func groups() async throws {
        let fixture = try Fixture()
        let results = try await fixture.gather((0..<100).map { Self.insert($0) })
        #expect(try results.map { try $0.get() } == Array(0..<100))
        #expect(try fixture.rows() == Array(0..<100))
        #expect(fixture.counter.count == 2, "one commit that kept the disk busy, and one of the group")
    }

    @Test("a failing write fails alone, in its own statement or at the commit of the group")
    func failures() async throws {
        let fixture = try Fixture()
        _ = try await fixture.commits.write(Self.insert(100))
        var writes = (0..<20).map { Self.insert($0) }
        writes[3] = { database in
            _ = try Self.insert(3)(database)
            throw Refused()
        }
        writes[7] = Self.insert(100)
        writes[11] = Self.insert(11, parent: 999)
        let results = try await fixture.gather(writes)
        let failed = results.indices.filter { (try? results[$0].get()) == nil }
        #expect(failed == [3, 7, 11])
        #expect(throws: Refused.self) { try results[3].get() }
        #expect(try fixture.rows() == (0..<20).filter { ![3, 7, 11].contains($0) } + [100])
    }

    @Test("a write that throws does not cost the others a commit of their own")
    func culprits() async throws {
        let fixture = try Fixture()
        var writes = (0..<50).map { Self.insert($0) }
        for index in [0, 10, 49] { writes[index] = { _ in throw Refused() } }
        let results = try await fixture.gather(writes)
        #expect(results.indices.filter { (try? results[$0].get()) == nil } == [0, 10, 49])
        #expect(try fixture.rows().count == 47)
        #expect(fixture.counter.count == 2, "one commit that kept the disk busy, and one of the rest of the group")
    }

    @Test("a failure of the whole database fails all waiting writes at once, and later ones are tried again")
    func refusedAltogether() async throws {
        let fixture = try Fixture()
        var writes = (0..<20).map { Self.insert($0) }
        writes[5] = { _ in throw DatabaseError(resultCode: .SQLITE_FULL) }
        let results = try await fixture.gather(writes)
        #expect(results.allSatisfy { (try? $0.get()) == nil })
        #expect(try fixture.rows() == [])
        #expect(try await fixture.commits.write(Self.insert(7)) == 7)
    }

    @Test("no commit into a lost file is acknowledged")
    func lost() async throws {
        let fixture = try Fixture()
        fixture.loss.isThere.withLock { $0 = true }
        let results = try await fixture.gather((0..<20).map { Self.insert($0) })
        for result in results { #expect(throws: Refused.self) { try result.get() } }
        fixture.loss.isThere.withLock { $0 = false }
        #expect(try await fixture.commits.write(Self.insert(30)) == 30)
    }

    @Test("a write beyond the queue is refused and not executed")
    func crowd() async throws {
        let fixture = try Fixture(queueLimit: 3)
        let results = try await fixture.gather((0..<3).map { Self.insert($0) }, thenRefusing: Self.insert(3))
        #expect(try results.map { try $0.get() } == [0, 1, 2])
        #expect(try fixture.rows() == [0, 1, 2])
    }

    @Test("a write that waited too long for a hanging disk is refused and not executed")
    func late() async throws {
        let fixture = try Fixture(longestWait: .seconds(1))
        let results = try await fixture.gather((0..<5).map { Self.insert($0) }, hanging: .seconds(2))
        for result in results {
            #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try result.get() }
        }
        #expect(try fixture.rows() == [])
    }

    @Test("groups are bounded, and every write of consecutive groups is committed")
    func large() async throws {
        let fixture = try Fixture()
        let results = try await fixture.gather((0..<600).map { Self.insert($0) })
        #expect(results.count == 600 && fixture.counter.count == 1 + 3)
        #expect(try fixture.rows().count == 600)
    }
}

private func result<Value>(_ work: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await work()) } catch { return .failure(error) }
}
