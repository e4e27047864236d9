package import CloakroomStores
import Synchronization

/// The part of a `RevocationFeed` that one reader of the stream has not taken yet.
package final class FeedSubscription: Sendable {
    /// What the reader gets next.
    package struct News: Sendable {
        /// Pages of the feed, each with a place for a form of it that all readers share.
        package var pages: [SharedPage] = []
        /// A time of the monotonic clock: all entries that were committed before it are in the pages up to here.
        package var current: Duration?
    }

    private struct State {
        var news = News()
        var entries = 0
        var isOver = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    /// A reader that leaves more than this ends: it is too slow, and goes on later after the last entry that it has read.
    private static let maximumEntries = 50_000

    init() {}

    func send(_ page: SharedPage) {
        change { state in
            state.entries += page.page.revoked.count + page.page.stale.count
            guard state.entries <= Self.maximumEntries else {
                state.isOver = true
                return
            }
            state.news.pages.append(page)
        }
    }

    func send(current time: Duration) {
        change { $0.news.current = time }
    }

    /// Ends the subscription: the reader gets no more news.
    package func end() {
        change { $0.isOver = true }
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    private func change(_ body: (inout State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Waits for news. Also ends when the task is cancelled.
    /// - Returns: nil at the end.
    package func next() async -> News? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isOver || !state.news.pages.isEmpty || state.news.current != nil { return true }
                    state.waiting = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            end()
        }
        return state.withLock { state in
            guard !state.isOver else { return nil }
            defer { (state.news, state.entries) = (News(), 0) }
            return state.news
        }
    }
}

/// A page, and its text for the stream, which is made once for all readers.
package final class SharedPage: Sendable {
    package let page: FeedPage
    private let text = Mutex<String?>(nil)

    init(_ page: FeedPage) {
        self.page = page
    }

    package func text(_ make: (FeedPage) -> String) -> String {
        text.withLock { text in
            let made = text ?? make(page)
            text = made
            return made
        }
    }
}
