import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Logging
import Synchronization
import Testing

@testable import CloakroomSessions
@testable import CloakroomStores

@Suite struct RevocationFeedTests {
    private struct Trouble: Error {}

    /// A feed over a store that can delay or fail reads, and counts them.
    private final class Fixture: Sendable {
        let time = TestEnvironment()
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let feed: RevocationFeed
        let store: StoreInTrouble

        init(logger: Logger = Logger(label: "t")) {
            store = StoreInTrouble(InMemoryStore())
            feed = RevocationFeed(store: store, view: view, environment: time.environment, logger: logger)
        }
    }

    @Test("a revocation by another process reaches this view through the feed, also after a restore")
    func feed() async throws {
        let (store, time) = (InMemoryStore(), TestEnvironment())
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let feed = RevocationFeed(store: store, view: view, environment: time.environment, logger: Logger(label: "t"))
        try await feed.catchUp()
        for (number, id) in ["first", "second"].map({ SessionID($0) }).enumerated() {
            try await begin(id, in: store, at: time.now)
            try await feed.catchUp()
            #expect(!view.isRevoked(id))
            _ = try await store.revoke(.id(id), reason: .endedByAdministrator, at: time.now, after: nil, limit: 1)
            try await feed.catchUp()
            #expect(view.isRevoked(id), "feed \(number)")
            // The next revocation has a position in the new feed that the reader's old cursor has passed.
            store.restore()
        }
    }

    private func begin(_ id: SessionID, in store: InMemoryStore, at time: Instant) async throws {
        let policy = SessionPolicy()
        let session = Session(
            id: id, subject: Subject("u"), secret: Secret([1]), refreshKey: "r",
            details: Session.Details(
                client: .browser, remembered: false, userAgent: "", address: "",
                evidence: Evidence(.password, at: time)),
            at: time, under: policy)
        let start = SessionStart(session, credentialVersion: nil, maximumSessions: 9, policy: policy)
        _ = try #require(try await store.begin(start, recording: []))
    }

    @Test("a caller during a read waits for this read, and a cancelled caller does not fail the others")
    func together() async throws {
        let fixture = Fixture()
        fixture.store.hold()
        let first = Task { try await fixture.feed.catchUp() }
        try await waitUntil { fixture.store.asked == 1 }
        let others = (0..<20).map { _ in Task { try await fixture.feed.catchUp() } }
        first.cancel()
        others[3].cancel()
        fixture.store.release()
        for (index, other) in others.enumerated() where index != 3 { try await other.value }
        _ = try? await first.value
        #expect(fixture.store.asked <= 3, "one read, and one more for later callers")
        #expect(
            fixture.view.standing(of: SessionID("a"), at: fixture.time.uptime, fixture.time.now) == .good, "it was read"
        )
    }

    @Test("a failure is returned to all callers for a fifth of a second, then the store is read again")
    func failure() async throws {
        let fixture = Fixture()
        fixture.store.fail(with: Trouble())
        for _ in 0..<50 { await #expect(throws: Trouble.self) { try await fixture.feed.catchUp() } }
        #expect(fixture.store.asked == 1)
        fixture.time.advance(Span(milliseconds: 199))
        await #expect(throws: Trouble.self) { try await fixture.feed.catchUp() }
        #expect(fixture.store.asked == 1)
        fixture.time.advance(Span(milliseconds: 1))
        fixture.store.fail(with: nil)
        try await fixture.feed.catchUp()
        #expect(fixture.store.asked == 2)
        try await fixture.feed.catchUp()
        #expect(fixture.store.asked == 3, "a successful read is not reused for later callers")
    }

    @Test("a failing feed is logged at the first failure and at its end, not each time")
    func failureIsLoggedOnce() async throws {
        let log = CapturedLog()
        let fixture = Fixture(logger: Logger(label: "t") { _ in log })
        fixture.store.fail(with: Trouble())
        func look() async {
            fixture.time.advance(.seconds(1))
            await fixture.feed.look()
        }
        for _ in 0..<5 { await look() }
        let failure = #"error the revocation feed failed ["error": Trouble()]"#
        #expect(fixture.store.asked == 5 && log.lines == [failure])
        fixture.store.fail(with: nil)
        for _ in 0..<2 { await look() }
        let notice = "notice the revocation feed is read again"
        #expect(log.lines == [failure, notice])
        fixture.store.fail(with: Trouble())
        await look()
        #expect(log.lines.count == 3, "the next failure is logged again")
    }
}

/// Forwards all calls, but can delay or fail reads of the revocation feed.
private final class StoreInTrouble: StoreWrapper {
    let inner: any Store
    private let state = Mutex<(asked: Int, isHeld: Bool, error: (any Error)?)>((0, false, nil))

    init(_ inner: any Store) {
        self.inner = inner
    }

    var asked: Int { state.withLock { $0.asked } }
    func hold() { state.withLock { $0.isHeld = true } }
    func release() { state.withLock { $0.isHeld = false } }
    func fail(with error: (any Error)?) { state.withLock { $0.error = error } }

    func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        state.withLock { $0.asked += 1 }
        try await waitUntil { state.withLock { !$0.isHeld } }
        if let error = state.withLock({ $0.error }) { throw error }
        return try await inner.revocations(after: cursor)
    }
}
