import CloakroomCore
import Foundation
import GRDB
import Synchronization

/// Commits what is asked for at the same time together: a commit waits for the disk, and so many writes share that wait.
///
/// Nobody waits for company. While the disk is busy with one group the next one gathers, so that a single client is
/// as fast as without groups, and many are not limited to one write for each turn of the disk.
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
    /// Bounds how long the first of a group waits for the last.
    private static let largestGroup = 256
    /// Who cannot be served within a second or two is told so at once.
    private let queueLimit: Int

    /// - Parameters:
    ///   - perform: runs its argument on the one connection that writes, and throws when what it has committed will not be
    ///     found again.
    ///   - queueLimit: how many may wait.
    ///   - longestWait: who has waited longer for a disk that hung is told to ask again: what was decided for them belongs
    ///     to another time, and a refresh token that was on time would be saved as one that came late.
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

    /// How many writes wait for the disk.
    var waiting: Int { shared.queue.withLock { $0.members.count } }

    /// Returns when what `work` wrote is on the disk.
    ///
    /// - Parameter work: must have no effect but on the database: where another member of its group fails, all is rolled
    ///   back and done again, each alone.
    /// - Throws: what `work` throws, why it could not be committed, or `Denial.unavailable` when too many wait already.
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

    /// Waits until there is something to commit; nil when nothing will come any more.
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
            // The signals of those that a group took along find nobody left.
            let inTime = late.isEmpty ? group : group.filter { member in !late.contains { $0 === member } }
            if !inTime.isEmpty { return inTime }
        }
    }

    /// One that throws is taken out and fails, and the rest are done again together. What keeps the disk from taking
    /// anything fails all of them: trying each alone would make the last wait for as many failures as there are others.
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

    /// With statements that are prepared once: for one renewal alone that is a tenth of its time.
    private static func inTransaction(_ database: Database, _ work: () throws -> Void) throws {
        try database.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        do {
            try work()
            try database.cachedStatement(sql: "COMMIT").execute()
        } catch {
            // SQLite has done so itself after some errors.
            if database.isInsideTransaction { try database.rollback() }
            throw error
        }
    }

    /// A full disk, a lock that somebody else holds, a broken file.
    private static func isOfTheWholeDatabase(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        let codes: [ResultCode] = [
            .SQLITE_BUSY, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_CORRUPT, .SQLITE_READONLY, .SQLITE_NOTADB,
        ]
        return codes.contains(code)
    }

    /// What shows only when all is committed, and does not say whose it is.
    private static func isOfSomeMember(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.resultCode == .SQLITE_CONSTRAINT
    }
}

/// One that waits for its group, whatever it waits for.
private protocol Member: AnyObject {
    var askedAt: ContinuousClock.Instant { get }
    func run(_ database: Database) throws
    func succeed()
    func fail(_ error: any Error)
}

/// Used by one thread at a time: first by whoever asks, then by the one that commits.
private final class Write<Value: Sendable>: Member {
    /// Let go before whoever asks is told: it is theirs, and lives no longer.
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
