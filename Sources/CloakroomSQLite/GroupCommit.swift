import CloakroomCore
import Foundation
import GRDB
import Synchronization

/// Commits concurrent writes in one transaction: a commit waits for the disk, and many writes share that wait.
///
/// A group never waits to grow. While the disk writes one group, the next one collects in the queue. A single client
/// is therefore as fast as without groups, and many clients are not limited to one write per disk flush.
final class GroupCommit: Sendable {
    private struct Queue {
        var members: [any Member] = []
        var isStopped = false
    }

    private final class Shared: Sendable {
        let queue = Mutex(Queue())
        let waiting = DispatchSemaphore(value: 0)
    }

    private let shared = Shared()
    /// The largest group. It bounds how long the first member of a group waits for the last.
    private static let largestGroup = 256
    /// The largest number of waiting writes. Beyond it, writes fail at once, because they would wait longer than a
    /// second or two.
    private let queueLimit: Int

    /// Starts the thread that commits.
    /// - Parameters:
    ///   - perform: runs its argument on the one connection that writes, and throws when the commit is not in the
    ///     database that will be opened next time.
    ///   - queueLimit: the largest number of waiting writes.
    ///   - longestWait: a write that has waited longer, for a disk that hung, fails, and the client retries. Its
    ///     decision belongs to an earlier time: a refresh token that arrived on time would be saved as one that came
    ///     late.
    init(
        queueLimit: Int = 8192, longestWait: Duration = .seconds(10),
        performing perform: @escaping @Sendable ((Database) throws -> Void) throws -> Void
    ) {
        self.queueLimit = queueLimit
        let shared = shared
        let thread = Thread {
            while let group = Self.next(shared, longestWait) { Self.commit(group, perform) }
        }
        thread.name = "cloakroom commits"
        thread.start()
    }

    deinit {
        shared.queue.withLock { $0.isStopped = true }
        shared.waiting.signal()
    }

    /// The number of writes in the queue, without the group that is being committed.
    var waiting: Int { shared.queue.withLock { $0.members.count } }

    /// Runs `work` in a transaction, and returns when its writes are on disk.
    ///
    /// - Parameter work: must have no effect outside the database. When another member of its group fails, the
    ///   transaction is rolled back and `work` runs again.
    /// - Throws: the error of `work` or of the commit, or `Denial.unavailable` when the queue is full or the write
    ///   has waited too long.
    func write<Value: Sendable>(_ work: @Sendable (Database) throws -> Value) async throws -> Value {
        try await withoutActuallyEscaping(work) { work in
            try await withCheckedThrowingContinuation { continuation in
                let isAccepted = shared.queue.withLock { queue in
                    guard queue.members.count < queueLimit else { return false }
                    queue.members.append(Write(work, continuation))
                    return true
                }
                if isAccepted {
                    shared.waiting.signal()
                } else {
                    continuation.resume(throwing: Denial.unavailable(retryAfter: .seconds(1)))
                }
            }
        }
    }

    /// Waits for the next group; nil once the queue is stopped and empty.
    private static func next(_ shared: Shared, _ longestWait: Duration) -> [any Member]? {
        while true {
            shared.waiting.wait()
            let group: [any Member]? = shared.queue.withLock { queue in
                let group = Array(queue.members.prefix(largestGroup))
                queue.members.removeFirst(group.count)
                return group.isEmpty && queue.isStopped ? nil : group
            }
            guard let group else { return nil }
            let late = group.filter { $0.askedAt.duration(to: .now) > longestWait }
            for member in late { member.fail(Denial.unavailable(retryAfter: .seconds(1))) }
            // One signal arrives per write, but one group takes many: the spare signals find an empty queue.
            let inTime = late.isEmpty ? group : group.filter { member in !late.contains { $0 === member } }
            if !inTime.isEmpty { return inTime }
        }
    }

    /// Commits a group. A member that throws fails alone, and the rest run again together. An error of the whole
    /// database, such as a full disk, fails all members: with a separate try for each, the last would wait for the
    /// failures of all others.
    private static func commit(
        _ group: [any Member], _ perform: ((Database) throws -> Void) throws -> Void
    ) {
        var group = group
        while !group.isEmpty {
            var culprit: Int?
            do {
                try perform { database in
                    try inTransaction(database) {
                        for (index, member) in group.enumerated() {
                            culprit = index
                            try member.run(database)
                        }
                        culprit = nil
                    }
                }
                for member in group { member.succeed() }
                return
            } catch {
                if let index = culprit, !isOfTheWholeDatabase(error) {
                    group.remove(at: index).fail(error)
                } else if group.count > 1, isOfSomeMember(error) {
                    for member in group { commit([member], perform) }
                    return
                } else {
                    for member in group { member.fail(error) }
                    return
                }
            }
        }
    }

    /// Uses cached statements: for a single renewal, preparing them takes a tenth of its time.
    private static func inTransaction(_ database: Database, _ work: () throws -> Void) throws {
        try database.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        do {
            try work()
            try database.cachedStatement(sql: "COMMIT").execute()
        } catch {
            // SQLite rolls back by itself after some errors.
            if database.isInsideTransaction { try database.rollback() }
            throw error
        }
    }

    /// Whether the error concerns the whole database: a full disk, a lock of another process, a damaged file.
    private static func isOfTheWholeDatabase(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        let codes: [ResultCode] = [
            .SQLITE_BUSY, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_CORRUPT, .SQLITE_READONLY, .SQLITE_NOTADB,
        ]
        return codes.contains(code)
    }

    /// Whether the error can appear at the commit only, and does not name the member that caused it.
    private static func isOfSomeMember(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.resultCode == .SQLITE_CONSTRAINT
    }
}

/// A queued write, without the type of its result.
private protocol Member: AnyObject {
    var askedAt: ContinuousClock.Instant { get }
    func run(_ database: Database) throws
    func succeed()
    func fail(_ error: any Error)
}

/// A queued write. One thread uses it at a time: first the caller's, then the one that commits.
private final class Write<Value: Sendable>: Member {
    /// Released before the continuation resumes: the closure must not outlive the call to `write`
    /// (`withoutActuallyEscaping`).
    private var work: (@Sendable (Database) throws -> Value)?
    private let continuation: CheckedContinuation<Value, any Error>
    private var value: Value?
    let askedAt = ContinuousClock.now

    init(
        _ work: @escaping @Sendable (Database) throws -> Value, _ continuation: CheckedContinuation<Value, any Error>
    ) {
        self.work = work
        self.continuation = continuation
    }

    func run(_ database: Database) throws {
        value = try work?(database)
    }

    func succeed() {
        guard let value else { preconditionFailure("a group was committed without all of its members") }
        work = nil
        continuation.resume(returning: value)
    }

    func fail(_ error: any Error) {
        work = nil
        continuation.resume(throwing: error)
    }
}
