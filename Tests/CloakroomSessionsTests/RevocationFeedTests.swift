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
        let memory = InMemoryStore()
        let store: StoreInTrouble

        init(logger: Logger = Logger(label: "t")) {
            store = StoreInTrouble(memory)
            let log = SecurityLog(logger: Logger(label: "t"), uptime: time.environment.uptime)
            feed = RevocationFeed(
                store: store, view: view,
                publisher: Publisher(log: log, view: view, environment: time.environment),
                environment: time.environment, patience: .seconds(600), logger: logger)
        }
    }

    @Test("a revocation by another process reaches this view through the feed, also after a restore")
    func feed() async throws {
        let fixture = Fixture()
        let store = fixture.memory
        try await fixture.feed.catchUp()
        for (number, id) in ["first", "second"].map({ SessionID($0) }).enumerated() {
            try await begin(id, in: store, at: fixture.time.now)
            try await fixture.feed.catchUp()
            #expect(!fixture.view.isRevoked(id))
            try await end(id, in: store, at: fixture.time.now)
            try await fixture.feed.catchUp()
            #expect(fixture.view.isRevoked(id), "feed \(number)")
            // The next revocation has a position in the new feed that the reader's old cursor has passed.
            store.restore()
        }
    }

    @Test("what a failover has lost is repeated by the process that remembers it, once", arguments: [false, true])
    func lostRevocations(_ failsAtFirst: Bool) async throws {
        let fixture = Fixture()
        let (store, time) = (fixture.memory, fixture.time)
        for id in ["kept", "lost", "other"] { try await begin(SessionID(id), in: store, at: time.now) }
        try await end(SessionID("kept"), in: store, at: time.now)
        let copy = store.copy()
        for id in ["gone", "fresh"] { try await begin(SessionID(id), in: store, at: time.now) }
        for id in ["lost", "gone"] { try await end(SessionID(id), in: store, at: time.now) }
        try await fixture.feed.catchUp()
        store.replace(by: copy)
        time.advance(.seconds(20))
        // The other history has as many entries as were lost, or more.
        for id in ["n1", "n2", "n3"] {
            try await begin(SessionID(id), in: store, at: time.now)
            try await end(SessionID(id), in: store, at: time.now)
        }
        fixture.store.failRepeats(with: failsAtFirst ? Trouble() : nil)
        if failsAtFirst {
            await #expect(throws: Trouble.self) { try await fixture.feed.catchUp() }
            time.advance(.seconds(1))
            fixture.store.failRepeats(with: nil)
        }
        for _ in 0..<2 { try await fixture.feed.catchUp() }
        #expect(try await store.session(SessionID("lost"))?.revocation?.reason == .lostInFailover)
        #expect(try await store.session(SessionID("other"))?.revocation == nil)
        let entries = try await store.revocations(after: nil).revoked.map(\.session.rawValue)
        #expect(entries.count == 6 && Set(entries) == ["kept", "lost", "gone", "n1", "n2", "n3"], "\(entries)")
        for id in entries { #expect(fixture.view.isRevoked(SessionID(id)), "\(id)") }
    }

    @Test("a view is current as of a read that was a proof, and no poll between two proofs makes it newer")
    func proofs() async throws {
        let fixture = Fixture()
        let (time, session) = (fixture.time, SessionID("s"))
        func standing() -> AccessQuestion.Standing { fixture.view.standing(of: session, at: time.uptime, time.now) }
        await fixture.feed.look()
        #expect(fixture.store.proofs == 1)
        time.advance(Span(milliseconds: 200))
        await fixture.feed.look()
        #expect(fixture.store.proofs == 1 && fixture.store.asked == 2)
        time.advance(Span(milliseconds: 800))
        #expect(standing() == .good)
        time.advance(Span(milliseconds: 1))
        #expect(standing() == .unknown, "the second read was no proof")
        await fixture.feed.look()
        #expect(fixture.store.proofs == 2 && standing() == .good)
        // A server that another one has replaced answers reads for ever.
        fixture.store.failProofs(with: Trouble())
        for _ in 0..<11 {
            time.advance(Span(milliseconds: 100))
            await fixture.feed.look()
        }
        #expect(standing() == .unknown)
    }

    @Test("a read that is no proof does not answer a caller who needs one")
    func waitsForProof() async throws {
        let fixture = Fixture()
        try await fixture.feed.catchUp()
        time(fixture, 100)
        fixture.store.hold()
        let poll = Task { await fixture.feed.look() }
        try await waitUntil { fixture.store.asked == 2 }
        let caller = Task { try await fixture.feed.catchUp() }
        fixture.store.release()
        try await caller.value
        await poll.value
        #expect(fixture.store.proofs == 2)
    }

    private func time(_ fixture: Fixture, _ milliseconds: Int64) {
        fixture.time.advance(Span(milliseconds: milliseconds))
    }

    @Test("readers of the stream get each entry once in their subscription, and no read of the store is theirs")
    func subscriptions() async throws {
        let fixture = Fixture()
        let (store, time) = (fixture.memory, fixture.time)
        try await fixture.feed.catchUp()
        var readers: [FeedSubscription] = []
        for _ in 0..<20 { readers.append(await fixture.feed.subscribe()) }
        try await begin(SessionID("a"), in: store, at: time.now)
        try await end(SessionID("a"), in: store, at: time.now)
        let asked = fixture.store.asked
        try await fixture.feed.catchUp()
        #expect(fixture.store.asked == asked + 2)
        for reader in readers {
            let news = try #require(await reader.next())
            #expect(news.pages.flatMap(\.page.revoked).map(\.session.rawValue) == ["a"])
            #expect(news.current == time.uptime)
        }
        readers[0].end()
        #expect(await readers[0].next() == nil)
        store.restore()
        try await fixture.feed.catchUp()
        let news = try #require(await readers[1].next())
        #expect(news.pages.first?.page.isStart == true, "they learn that the history is another one")
    }

    @Test("readers that begin at once read the store one after the other, also if one of them is cancelled")
    func pages() async throws {
        let fixture = Fixture()
        fixture.store.hold()
        let readers = (0..<5).map { _ in Task { try await fixture.feed.page(after: nil) } }
        try await waitUntil { fixture.store.asked == 1 }
        for _ in 0..<1000 { await Task.yield() }
        #expect(fixture.store.asked == 1)
        readers[3].cancel()
        fixture.store.release()
        for (number, reader) in readers.enumerated() where number != 3 { #expect(try await reader.value.isEmpty) }
        #expect((4...5).contains(fixture.store.asked), "a cancelled reader may be the one that has begun")
    }

    @Test("a reader that does not keep up is dropped, and one that waits is woken")
    func slowReaders() async throws {
        let subscription = FeedSubscription()
        let waiting = Task { await subscription.next() }
        subscription.send(current: .seconds(1))
        #expect(await waiting.value?.current == .seconds(1))
        let entries = (0..<5000).map { Revoked(session: SessionID("\($0)"), time: TestEnvironment.start) }
        let page = SharedPage(FeedPage(isStart: false, revoked: entries, cursor: FeedCursor("1-1")))
        for _ in 0..<10 { subscription.send(page) }
        #expect(!subscription.isOver)
        subscription.send(page)
        #expect(subscription.isOver)
        #expect(await subscription.next() == nil)
        let cancelled = FeedSubscription()
        let task = Task { await cancelled.next() }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test("a session that this process ends wakes the feed")
    func signal() async throws {
        let signal = FeedSignal()
        let publisher = Publisher(
            log: SecurityLog(logger: Logger(label: "t")), view: RevocationView(accessTokenLifetime: .minutes(5)),
            signal: signal, environment: TestEnvironment().environment)
        publisher.publish(Committed((), revoked: [Revoked(session: SessionID("a"), time: TestEnvironment.start)]))
        await signal.wait(atMost: .seconds(600))
        let waiting = Task { await signal.wait(atMost: .seconds(600)) }
        publisher.publish(Committed((), revoked: [Revoked(session: SessionID("b"), time: TestEnvironment.start)]))
        await waiting.value
        await signal.wait(atMost: .milliseconds(1))
        let cancelled = Task { await signal.wait(atMost: .seconds(600)) }
        cancelled.cancel()
        await cancelled.value
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

    @Test("a failure is returned to all callers for a moment, then the store is read again")
    func failure() async throws {
        let fixture = Fixture()
        fixture.store.fail(with: Trouble())
        for _ in 0..<50 { await #expect(throws: Trouble.self) { try await fixture.feed.catchUp() } }
        #expect(fixture.store.asked == 1)
        fixture.time.advance(Span(milliseconds: 79))
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
    private struct State {
        var asked = 0
        var proofs = 0
        var isHeld = false
        var error: (any Error)?
        var proofError: (any Error)?
        var repeatError: (any Error)?
    }

    private let state = Mutex(State())

    init(_ inner: any Store) {
        self.inner = inner
    }

    /// The number of reads.
    var asked: Int { state.withLock { $0.asked } }
    /// The number of reads that were proofs.
    var proofs: Int { state.withLock { $0.proofs } }
    func hold() { state.withLock { $0.isHeld = true } }
    func release() { state.withLock { $0.isHeld = false } }
    func fail(with error: (any Error)?) { state.withLock { $0.error = error } }
    func failProofs(with error: (any Error)?) { state.withLock { $0.proofError = error } }
    func failRepeats(with error: (any Error)?) { state.withLock { $0.repeatError = error } }

    func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        state.withLock { $0.asked += 1 }
        try await waitUntil { state.withLock { !$0.isHeld } }
        if let error = state.withLock({ $0.error }) { throw error }
        return try await inner.revocations(after: cursor)
    }

    func currentRevocations(after cursor: FeedCursor?) async throws -> FeedPage {
        let error = state.withLock { state in
            state.proofs += 1
            return state.proofError
        }
        if let error { throw error }
        return try await revocations(after: cursor)
    }

    func reassert(_ revoked: [SessionID], at now: Instant) async throws -> Committed<Void> {
        if let error = state.withLock({ $0.repeatError }) { throw error }
        return try await inner.reassert(revoked, at: now)
    }
}
