package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens
package import Logging
import Metrics

/// Copies revocations by other processes (the command line, another instance) into this process's view, and hands them to
/// the readers of the stream. It alone polls the store, however many readers there are.
package actor RevocationFeed {
    private let store: any SessionStore
    private let view: RevocationView
    private let publisher: Publisher
    private let signal: FeedSignal
    private let environment: Environment
    private let logger: Logger
    /// The position up to which the feed was read; nil before the first read.
    private var cursor: FeedCursor?
    /// The read that is in progress, and whether it proves that the view is current. All callers that arrive meanwhile
    /// wait for it.
    private var reading: (task: Task<Void, any Error>, proves: Bool)?
    /// When the latest read that was a proof began.
    private var provenAt: Duration?
    /// The error of the last read, and the uptime until which callers get it without a new read.
    private var failure: (error: any Error, until: Duration)?
    /// Whether the last poll of `run` failed. The log says so once.
    private var isFailing = false
    /// When the read began that found another history of the store; nil once that is read.
    private var historyBegan: Duration?
    /// Sessions that this process knows to be revoked, and that are not in the new history.
    private var lost: [SessionID] = []
    private var subscriptions: [FeedSubscription] = []
    /// Ends with the last of the reads for readers of the stream.
    private var lastPage: Task<Void, Never>?
    private let patience: Duration
    /// How old the latest proof is.
    private let age = Gauge(label: "cloakroom_feed_age_seconds")

    static let period = Duration.milliseconds(100)
    /// The shortest time between two polls, while sessions end one after the other.
    private static let pause = Duration.milliseconds(10)
    /// The age of a proof at which the next poll makes one. A proof is a write in some stores.
    private static let proofPeriod = Duration.milliseconds(250)
    /// How long a failed read answers callers, so that not every request asks a failing store. Shorter than `period`,
    /// so that each poll of `run` reads.
    static let failureHolds = Duration.milliseconds(80)
    /// The number of lost sessions that one poll repeats.
    private static let repeatedAtOnce = 200

    /// - Parameter patience: how long a caller waits for a read.
    package init(
        store: any SessionStore, view: RevocationView, publisher: Publisher, signal: FeedSignal = FeedSignal(),
        environment: Environment, patience: Duration = .seconds(2), logger: Logger
    ) {
        self.store = store
        self.view = view
        self.publisher = publisher
        self.signal = signal
        self.environment = environment
        self.patience = patience
        self.logger = logger
    }

    /// Reads the new entries of the feed, and proves that the view is current.
    /// - Throws: the error of the store; `Denial.unavailable` if it does not answer soon.
    package func catchUp() async throws {
        if let failure, environment.uptime() < failure.until { throw failure.error }
        let task = Task { try await proof().value }
        guard try await task.value(within: patience) != nil else {
            throw Denial.unavailable(retryAfter: .seconds(1))
        }
    }

    private func proof() async -> Task<Void, any Error> {
        while let reading, !reading.proves { _ = await reading.task.result }
        return current(proving: true)
    }

    /// The read is a task of its own: cancelling one caller does not fail the others.
    private func current(proving: Bool) -> Task<Void, any Error> {
        if let reading { return reading.task }
        let task = Task { try await readOnce(proving: proving) }
        reading = (task, proving)
        return task
    }

    /// Clears `reading` when the read ends: a later caller must not get the result of an earlier read.
    private func readOnce(proving: Bool) async throws {
        defer { reading = nil }
        do {
            try await read(proving: proving)
            try await repeatLost()
            failure = nil
        } catch {
            failure = (error, environment.uptime() + Self.failureHolds)
            throw error
        }
    }

    private func read(proving: Bool) async throws {
        let (uptime, now) = (environment.uptime(), environment.now())
        if view.isSetBack(at: uptime, now) { cursor = nil }
        var page =
            try await proving
            ? store.currentRevocations(after: cursor) : store.revocations(after: cursor)
        while true {
            if page.isStart, cursor != nil { beginOtherHistory(at: uptime) }
            // What is added after `historyBegan` was read from the new history.
            take(page, at: historyBegan == nil ? uptime : uptime + .milliseconds(125))
            guard !page.isEmpty else { break }
            page = try await store.revocations(after: cursor)
        }
        guard proving else { return }
        provenAt = uptime
        view.confirm(at: uptime, now)
        for subscription in subscriptions { subscription.send(current: uptime) }
    }

    private func beginOtherHistory(at uptime: Duration) {
        logger.notice("the feed of revocations is read again from its start: the store has lost a part of it")
        historyBegan = historyBegan ?? uptime
    }

    private func take(_ page: FeedPage, at uptime: Duration) {
        cursor = page.cursor
        view.update(page.revoked, at: uptime)
        view.update(stale: page.stale, at: uptime)
        subscriptions.removeAll(where: \.isOver)
        guard !page.isEmpty || page.isStart else { return }
        let shared = SharedPage(page)
        for subscription in subscriptions { subscription.send(shared) }
    }

    /// Repeats what a failover has lost: this process refuses these sessions, and all others must. Several instances
    /// remember the same ones.
    private func repeatLost() async throws {
        if let historyBegan { lost = view.revoked(upTo: historyBegan) }
        historyBegan = nil
        guard !lost.isEmpty else { return }
        let some = Array(lost.prefix(Self.repeatedAtOnce))
        publisher.publish(try await store.reassert(some, at: environment.now()))
        lost.removeFirst(some.count)
    }

    /// What the feed brings from now on. Its reader gets what came before with `page(after:)`.
    package func subscribe() -> FeedSubscription {
        let subscription = FeedSubscription()
        subscriptions.append(subscription)
        return subscription
    }

    /// One page for a reader of the stream that begins.
    ///
    /// These pages are read one at a time. When a hundred readers come back at once, a read that proves this process's own
    /// view would otherwise wait behind all of theirs in the store, and the view would count as stale.
    package func page(after cursor: FeedCursor?) async throws -> FeedPage {
        let before = lastPage
        let task = Task {
            await before?.value
            try Task.checkCancellation()
            return try await store.revocations(after: cursor)
        }
        lastPage = Task { _ = await task.result }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Polls the feed until the task is cancelled: ten times a second, and when this process has ended a session.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.poll() }
            group.addTask { await self.measureAge() }
        }
    }

    /// Beside the polls: a read that hangs must show.
    private func measureAge() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { recordAge() }
    }

    private func recordAge() {
        if let provenAt { age.record((environment.uptime() - provenAt) / .seconds(1)) }
    }

    private func poll() async {
        while !Task.isCancelled {
            await look()
            await signal.wait(atMost: Self.period)
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// One poll of `run`. It logs when reading begins to fail and when it succeeds again, not each of the failures in
    /// between.
    func look() async {
        defer { recordAge() }
        do {
            let isDue = provenAt.map { environment.uptime() >= $0 + Self.proofPeriod } ?? true
            try await current(proving: isDue).value
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
