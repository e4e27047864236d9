import Synchronization

extension Task where Failure == Never {
    /// The task's value, nil if it takes longer than `limit`. The task goes on.
    func value(within limit: Duration) async -> Success? {
        await firstAnswer(within: limit) { await value }
    }
}

extension Task where Failure == any Error {
    /// The task's value, nil if it takes longer than `limit`. The task goes on.
    func value(within limit: Duration) async throws -> Success? {
        try await firstAnswer(within: limit) { await result }?.get()
    }
}

private func firstAnswer<Value: Sendable>(
    within limit: Duration, _ work: @escaping @Sendable () async -> Value
) async -> Value? {
    await withCheckedContinuation { continuation in
        let answer = OneAnswer(continuation)
        let timeout = Task {
            try? await Task<Never, Never>.sleep(for: limit)
            answer.give(nil)
        }
        Task {
            answer.give(await work())
            timeout.cancel()
        }
    }
}

/// Resumes a continuation with the first of several answers.
private final class OneAnswer<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value?, Never>?>

    init(_ continuation: CheckedContinuation<Value?, Never>) {
        self.continuation = Mutex(continuation)
    }

    func give(_ answer: Value?) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: answer)
    }
}
