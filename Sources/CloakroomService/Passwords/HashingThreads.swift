import CSodium
import CloakroomCore
import Dispatch
import Foundation
import Synchronization

/// A few threads at the lowest priority that work off a bounded queue.
final class HashingThreads: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var isStopped = false
    }

    private let queue = Mutex(Queue())
    private let available = DispatchSemaphore(value: 0)
    private let count: Int
    private let queueLimit: Int

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
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isAccepted = queue.withLock { queue in
                guard !queue.isStopped, queue.jobs.count < queueLimit else { return false }
                queue.jobs.append { continuation.resume(with: Result { try work() }) }
                return true
            }
            if isAccepted {
                available.signal()
            } else {
                continuation.resume(throwing: Denial.unavailable(retryAfter: .seconds(2)))
            }
        }
    }

    func stop() {
        queue.withLock { $0.isStopped = true }
        for _ in 0..<count { available.signal() }
    }

    private func next() -> (@Sendable () -> Void)? {
        queue.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
    }
}
