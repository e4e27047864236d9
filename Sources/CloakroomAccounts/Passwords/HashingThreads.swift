import CSodium
import CloakroomCore
import Dispatch
import Foundation
import Synchronization

/// The queue in which a hash waits. Threads take jobs from `known` first.
package enum HashingPriority: Int, Hashable, Sendable, CaseIterable {
    /// Requesters that hold a session of the account, or that come from a network where its owner has logged in.
    case known
    case stranger
}

/// Runs hashes on a few threads at the lowest priority. They take jobs from two bounded queues, that of known
/// requesters first: a flood of guesses fills only the queue of strangers.
final class HashingThreads: Sendable {
    private struct Queues {
        var jobs: [[@Sendable () -> Void]] = HashingPriority.allCases.map { _ in [] }
        var isStopped = false
    }

    private let queues = Mutex(Queues())
    private let available = DispatchSemaphore(value: 0)
    private let count: Int
    private let queueLimit: Int

    /// - Parameter queueLimit: the largest number of waiting jobs in each queue.
    init(count: Int, queueLimit: Int) {
        self.count = max(1, count)
        self.queueLimit = queueLimit
        for _ in 0..<self.count {
            Thread.detachNewThread { [weak self, available] in
                cloakroom_yield_to_other_threads()
                while true {
                    available.wait()
                    guard let self, let job = self.next() else { return }
                    job()
                }
            }
        }
    }

    /// - Throws: `Denial.unavailable` when the queue is full, and what `work` throws.
    func run<Value: Sendable>(
        for priority: HashingPriority, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isAccepted = queues.withLock { queues in
                guard hasRoom(in: queues, for: priority) else { return false }
                queues.jobs[priority.rawValue].append { continuation.resume(with: Result { try work() }) }
                return true
            }
            if isAccepted {
                available.signal()
            } else {
                continuation.resume(throwing: Self.full)
            }
        }
    }

    /// The error of `run` when the queue is full.
    static let full = Denial.unavailable(retryAfter: .seconds(2))

    func hasRoom(for priority: HashingPriority) -> Bool {
        queues.withLock { hasRoom(in: $0, for: priority) }
    }

    private func hasRoom(in queues: borrowing Queues, for priority: HashingPriority) -> Bool {
        !queues.isStopped && queues.jobs[priority.rawValue].count < queueLimit
    }

    /// The number of jobs that wait for a thread, in both queues.
    var waiting: Int { queues.withLock { $0.jobs.reduce(0) { $0 + $1.count } } }

    func stop() {
        queues.withLock { $0.isStopped = true }
        for _ in 0..<count { available.signal() }
    }

    private func next() -> (@Sendable () -> Void)? {
        queues.withLock { queues in
            queues.jobs.firstIndex { !$0.isEmpty }.map { queues.jobs[$0].removeFirst() }
        }
    }
}
