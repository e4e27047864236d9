import CloakroomCore
import CloakroomTesting
import Dispatch
import Synchronization
import Testing

@testable import CloakroomAccounts

@Suite struct HashingThreadsTests {
    /// Queues jobs while the only thread is busy.
    /// - Returns: the results in the order in which the jobs ran.
    private func order(
        _ priorities: [HashingPriority], queueLimit: Int = 64
    ) async throws -> [Result<HashingPriority, any Error>] {
        let threads = HashingThreads(count: 1, queueLimit: queueLimit)
        defer { threads.stop() }
        let (gate, busy) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let done = Done()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A failed wait must not block the thread, and with it the task group, forever.
            defer { gate.signal() }
            group.addTask {
                try? await threads.run(for: .stranger) {
                    busy.signal()
                    gate.wait()
                }
            }
            try await waitUntil { busy.wait(timeout: .now()) == .success }
            for priority in priorities {
                group.addTask {
                    do { try await threads.run(for: priority) { done.append(.success(priority)) } } catch {
                        done.append(.failure(error))
                    }
                }
            }
            try await waitUntil { threads.waiting + done.results.count == priorities.count }
            gate.signal()
        }
        return done.results
    }

    private final class Done: Sendable {
        private let state = Mutex<[Result<HashingPriority, any Error>]>([])

        var results: [Result<HashingPriority, any Error>] { state.withLock { $0 } }

        func append(_ result: Result<HashingPriority, any Error>) {
            state.withLock { $0.append(result) }
        }
    }

    @Test("known requesters are served first, with any number of strangers in the queue")
    func first() async throws {
        let order = try await order([.stranger, .stranger, .known, .stranger, .known, .stranger]).map { try $0.get() }
        #expect(order == [.known, .known, .stranger, .stranger, .stranger, .stranger])
    }

    @Test("strangers who fill their queue are refused, and known requesters are not")
    func full() async throws {
        let order = try await order(Array(repeating: .stranger, count: 9) + [.known, .known], queueLimit: 2)
        let refused = order.filter { (try? $0.get()) == nil }
        #expect(refused.count == 7)
        #expect(order.compactMap { try? $0.get() } == [.known, .known, .stranger, .stranger])
    }
}
