package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens
package import Logging

/// Brings what was revoked elsewhere (the command line, another instance) into this process's view, well within a
/// second.
package actor RevocationFeed {
    private let store: any SessionStore
    private let view: RevocationView
    private let environment: Environment
    private let logger: Logger
    /// How far the feed was read; nil for the start.
    private var place: (epoch: Int64, cursor: FeedCursor)?
    /// The read that is under way: everybody who asks meanwhile waits for the same one.
    private var reading: Task<Void, any Error>?
    /// The last read, if it failed, and until when it answers for those that ask.
    private var failure: (error: any Error, until: Duration)?
    /// Whether the last turn of `run` failed, which the log says.
    private var isFailing = false
    static let period = Duration.milliseconds(250)
    /// A store in trouble must not be asked by every request. Less than `period`, so that each turn of `run` asks.
    static let failureHolds = Duration.milliseconds(200)

    package init(store: any SessionStore, view: RevocationView, environment: Environment, logger: Logger) {
        self.store = store
        self.view = view
        self.environment = environment
        self.logger = logger
    }

    /// Reads what is new. The view says itself when it has been without news for too long.
    ///
    /// The read belongs to no caller: one that is cancelled fails none of the others.
    package func catchUp() async throws {
        if let failure, environment.uptime() < failure.until { throw failure.error }
        try await current().value
    }

    private func current() -> Task<Void, any Error> {
        if let reading { return reading }
        let task = Task { try await readOnce() }
        reading = task
        return task
    }

    /// `reading` ends with the read itself: a caller that comes after it must not get an outcome from before.
    private func readOnce() async throws {
        defer { reading = nil }
        do {
            try await read()
            failure = nil
        } catch {
            failure = (error, environment.uptime() + Self.failureHolds)
            throw error
        }
    }

    private func read() async throws {
        let (uptime, now) = (environment.uptime(), environment.now())
        if view.isSetBack(at: uptime, now) { place = nil }
        while let page = try await nextPage() { view.update(page.revoked, at: uptime) }
        view.confirm(at: uptime, now)
    }

    /// - Returns: nil at the end of the feed.
    private func nextPage() async throws -> FeedPage? {
        var page = try await store.revocations(after: place?.cursor)
        if let place, place.epoch != page.epoch {
            // The store went back to a backup: the cursor belongs to a history that is gone.
            page = try await store.revocations(after: nil)
        }
        place = (page.epoch, page.cursor)
        return page.revoked.isEmpty ? nil : page
    }

    /// Follows the feed until the task is cancelled.
    package func run() async {
        repeat { await look() } while (try? await Task.sleep(for: Self.period)) != nil
    }

    /// One turn of `run`. It logs when reading begins to fail and when it succeeds again, not each of the four failures a
    /// second in between.
    func look() async {
        do {
            try await catchUp()
            if isFailing { logger.notice("the revocation feed is read again") }
            isFailing = false
        } catch is CancellationError {
            return
        } catch {
            if !isFailing { logger.error("the revocation feed failed", metadata: ["error": "\(error)"]) }
            isFailing = true
        }
    }
}
