package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens
package import Logging

/// Copies revocations by other processes (the command line, another instance) into this process's view, well within a
/// second.
package actor RevocationFeed {
    private let store: any SessionStore
    private let view: RevocationView
    private let environment: Environment
    private let logger: Logger
    /// The position up to which the feed was read; nil before the first read.
    private var place: (epoch: Int64, cursor: FeedCursor)?
    /// The read that is in progress. All callers that arrive meanwhile wait for it.
    private var reading: Task<Void, any Error>?
    /// The error of the last read, and the uptime until which callers get it without a new read.
    private var failure: (error: any Error, until: Duration)?
    /// Whether the last poll of `run` failed. The log says so once.
    private var isFailing = false
    static let period = Duration.milliseconds(250)
    /// How long a failed read answers callers, so that not every request asks a failing store. Shorter than `period`,
    /// so that each poll of `run` reads.
    static let failureHolds = Duration.milliseconds(200)

    package init(store: any SessionStore, view: RevocationView, environment: Environment, logger: Logger) {
        self.store = store
        self.view = view
        self.environment = environment
        self.logger = logger
    }

    /// Reads the new entries of the feed. The view itself reports when it has had no update for too long.
    ///
    /// The read is a task of its own: cancelling one caller does not fail the others.
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

    /// Clears `reading` when the read ends: a later caller must not get the result of an earlier read.
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
        while let page = try await nextPage() {
            view.update(page.revoked, at: uptime)
            view.update(stale: page.stale, at: uptime)
        }
        view.confirm(at: uptime, now)
    }

    /// - Returns: nil at the end of the feed.
    private func nextPage() async throws -> FeedPage? {
        var page = try await store.revocations(after: place?.cursor)
        if let place, place.epoch != page.epoch {
            // The store was restored from a backup: the cursor belongs to a history that no longer exists.
            page = try await store.revocations(after: nil)
        }
        place = (page.epoch, page.cursor)
        return page.isEmpty ? nil : page
    }

    /// Polls the feed four times a second until the task is cancelled.
    package func run() async {
        repeat { await look() } while (try? await Task.sleep(for: Self.period)) != nil
    }

    /// One poll of `run`. It logs when reading begins to fail and when it succeeds again, not each of the four
    /// failures a second in between.
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
