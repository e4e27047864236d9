import Synchronization

/// Wakes the feed of revocations when this process has ended a session, so that its readers learn of it at once.
package final class FeedSignal: Sendable {
    private struct State {
        var isRaised = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func raise() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            state.isRaised = state.waiting == nil
            return state.waiting
        }
        waiting?.resume()
    }

    /// Returns at the next signal, at once if one came since the last wait, or after `limit`. For one waiter at a time.
    func wait(atMost limit: Duration) async {
        let timer = Task {
            try await Task.sleep(for: limit)
            raise()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    defer { state.isRaised = false }
                    if state.isRaised || Task.isCancelled { return true }
                    state.waiting = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            raise()
        }
        timer.cancel()
    }
}
