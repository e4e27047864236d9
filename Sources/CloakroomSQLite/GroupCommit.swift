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

    /// - Parameter writer: whose connection is used.
    init(_ writer: any DatabaseWriter) {
        let shared = shared
        let thread = Thread {
            while let group = Self.next(shared) { Self.commit(group, writer) }
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
    /// - Throws: what `work` throws, or why it could not be committed.
    func write<Value: Sendable>(_ work: @Sendable (Database) throws -> Value) async throws -> Value {
        try await withoutActuallyEscaping(work) { work in
            try await withCheckedThrowingContinuation { continuation in
                shared.queue.withLock { $0.members.append(Write(work, continuation)) }
                shared.waiting.signal()
            }
        }
    }

    /// Waits until there is something to commit; nil when nothing will come any more.
    private static func next(_ shared: Shared) -> [any Member]? {
        while true {
            shared.waiting.wait()
            let group: [any Member]? = shared.queue.withLock { queue in
                let group = Array(queue.members.prefix(largestGroup))
                queue.members.removeFirst(group.count)
                return group.isEmpty && queue.isStopped ? nil : group
            }
            guard let group else { return nil }
            // The signals of those that a group took along find nobody left.
            if !group.isEmpty { return group }
        }
    }

    private static func commit(_ group: [any Member], _ writer: any DatabaseWriter) {
        do {
            try writer.writeWithoutTransaction { database in
                try database.inTransaction(.immediate) {
                    for member in group { try member.run(database) }
                    return .commit
                }
            }
            for member in group { member.succeed() }
        } catch {
            if group.count == 1 { return group[0].fail(error) }
            for member in group { commit([member], writer) }
        }
    }
}

/// One that waits for its group, whatever it waits for.
private protocol Member: AnyObject {
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
