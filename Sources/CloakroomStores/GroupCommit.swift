import CloakroomCore
import Foundation
import Synchronization

/// One write in a group.
///
/// One thread uses it at a time: first the caller's, then the one that commits.
package protocol GroupWork: AnyObject, Sendable {
    /// Drops the closures of the write. They must not outlive the call that waits for it (`withoutActuallyEscaping`).
    func release()
}

/// What became of the transaction of a group. Members are named by their index.
package enum GroupOutcome {
    /// It is committed, except for the writes of these members: their rows have changed since they were read, or it is
    /// not known whether their commit took effect. They run again.
    case committed(again: [Int])
    /// Nothing is committed because of this member. The others run again together.
    case memberFailed(Int, any Error)
    /// Nothing is committed because of a member that the error does not name. Each runs again alone.
    case someMemberFailed(any Error)
    /// Nothing is committed, for a reason that concerns all, such as a full disk. All fail: with a separate try for
    /// each, the last would wait for the failures of all others.
    case failed(any Error)

    /// How many of a group run again after this.
    fileprivate func repeats(of count: Int) -> Int {
        switch self {
        case .committed(let again): again.count
        case .memberFailed: count - 1
        case .someMemberFailed: count > 1 ? count : 0
        case .failed: 0
        }
    }
}

/// Commits concurrent writes in one transaction: a commit waits for the disk, and many writes share that wait.
///
/// A group never waits to grow. While the disk writes one group, the next one collects in the queue. A single client
/// is therefore as fast as without groups, and many clients are not limited to one write per disk flush.
package final class GroupCommit<Work: GroupWork>: Sendable {
    /// Commits the writes of a group in one transaction. Runs on one thread, with a connection of its own.
    package typealias Perform = @Sendable (_ group: [Work]) -> GroupOutcome

    private struct Queue {
        var members: [GroupMember<Work>] = []
        var isStopped = false
    }

    private final class Shared: Sendable {
        let queue = Mutex(Queue())
        let waiting = DispatchSemaphore(value: 0)
    }

    private let shared = Shared()
    private let threads: Int
    private let limits: GroupLimits
    private let metrics: GroupMetrics

    /// Starts the threads that commit.
    /// - Parameters:
    ///   - name: that of the queue in the metrics.
    ///   - performers: one for each thread.
    package init(_ name: String, limits: GroupLimits = GroupLimits(), performers: [Perform]) {
        self.limits = limits
        threads = performers.count
        metrics = GroupMetrics(name)
        for perform in performers {
            let worker = GroupWorker(limits: limits, metrics: metrics, perform: perform)
            let thread = Thread { [shared] in
                while let group = Self.next(shared, worker) { worker.commit(group) }
            }
            thread.name = "cloakroom commits"
            thread.start()
        }
    }

    deinit {
        shared.queue.withLock { $0.isStopped = true }
        for _ in 0..<threads { shared.waiting.signal() }
    }

    /// The number of writes in the queue, without the groups that are being committed.
    package var waiting: Int { shared.queue.withLock { $0.members.count } }

    /// Returns when `work` is committed.
    ///
    /// - Parameter work: must have no effect outside the database: it runs again when another member of its group
    ///   fails.
    /// - Throws: the error of the work or of the commit, or `Denial.unavailable` when the queue is full or the write
    ///   has waited too long.
    package func commit(_ work: Work) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let waiting: Int? = shared.queue.withLock { queue in
                guard queue.members.count < limits.queue else { return nil }
                queue.members.append(GroupMember(work, continuation))
                return queue.members.count
            }
            if let waiting {
                metrics.wait(waiting)
                shared.waiting.signal()
            } else {
                metrics.refuse(1)
                work.release()
                continuation.resume(throwing: Denial.unavailable(retryAfter: .seconds(1)))
            }
        }
    }

    /// Waits for the next group; nil once the queue is stopped and empty.
    private static func next(_ shared: Shared, _ worker: GroupWorker<Work>) -> [GroupMember<Work>]? {
        while true {
            shared.waiting.wait()
            let taken: (group: [GroupMember<Work>], left: Int)? = shared.queue.withLock { queue in
                let group = Array(queue.members.prefix(worker.limits.group))
                queue.members.removeFirst(group.count)
                return group.isEmpty && queue.isStopped ? nil : (group, queue.members.count)
            }
            guard let taken else { return nil }
            // One signal arrives per write, but one group takes many: the spare signals find an empty queue.
            let inTime = worker.inTime(taken.group)
            guard !inTime.isEmpty else { continue }
            worker.metrics.take(inTime.count, leaving: taken.left)
            return inTime
        }
    }
}

/// What one thread does with the groups that it takes.
private struct GroupWorker<Work: GroupWork>: Sendable {
    let limits: GroupLimits
    let metrics: GroupMetrics
    let perform: GroupCommit<Work>.Perform

    /// Fails the members that have waited too long.
    /// - Returns: the others.
    func inTime(_ group: [GroupMember<Work>]) -> [GroupMember<Work>] {
        let now = ContinuousClock.now
        let inTime = group.filter { member in
            guard member.askedAt.duration(to: now) > limits.longestWait else { return true }
            member.fail(Denial.unavailable(retryAfter: .seconds(1)))
            return false
        }
        metrics.refuse(group.count - inTime.count)
        return inTime
    }

    /// Commits a group, in as many transactions as it takes. A member that fails fails alone.
    func commit(_ group: [GroupMember<Work>]) {
        var group = group
        while !group.isEmpty {
            let began = ContinuousClock.now
            let outcome = perform(group.map(\.work))
            metrics.end(after: began.duration(to: .now), again: outcome.repeats(of: group.count))
            switch outcome {
            case .committed(let again):
                let isOpen = Set(again)
                for (index, member) in group.enumerated() where !isOpen.contains(index) { member.succeed() }
                group = inTime(again.map { group[$0] })
            case .memberFailed(let index, let error): group.remove(at: index).fail(error)
            case .someMemberFailed where group.count > 1:
                for member in group { commit([member]) }
                return
            case .someMemberFailed(let error), .failed(let error):
                for member in group { member.fail(error) }
                return
            }
        }
    }
}

/// Bounds of a group commit.
package struct GroupLimits: Sendable {
    /// The largest number of waiting writes. Beyond it, writes fail at once, because they would wait longer than a
    /// second or two.
    package var queue: Int
    /// The largest group. It bounds how long the first member of a group waits for the last.
    package var group: Int
    /// A write that has waited longer, for a disk that hung, fails, and the client retries. Its decision belongs to an
    /// earlier time: a refresh token that arrived on time would be saved as one that came late.
    package var longestWait: Duration

    package init(queue: Int = 8192, group: Int = 256, longestWait: Duration = .seconds(10)) {
        self.queue = queue
        self.group = group
        self.longestWait = longestWait
    }
}

/// A queued write, and the caller that waits for it.
private final class GroupMember<Work: GroupWork>: Sendable {
    let work: Work
    let askedAt = ContinuousClock.now
    private let continuation: CheckedContinuation<Void, any Error>

    init(_ work: Work, _ continuation: CheckedContinuation<Void, any Error>) {
        self.work = work
        self.continuation = continuation
    }

    func succeed() {
        work.release()
        continuation.resume()
    }

    func fail(_ error: any Error) {
        work.release()
        continuation.resume(throwing: error)
    }
}

/// Where a write of a group leaves its result for the caller.
///
/// Unchecked: the thread that commits sets it before it resumes the caller.
package final class WorkResult<Value: Sendable>: @unchecked Sendable {
    package var value: Value?

    package init() {}

    /// The result of a write that was committed.
    package var committed: Value {
        guard let value else { preconditionFailure("a group was committed without all of its members") }
        return value
    }
}
