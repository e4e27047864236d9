import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Logging
import Synchronization
import Testing

@testable import CloakroomService

@Suite struct RevocationFeedTests {
    private struct Trouble: Error {}

    /// A feed over a store that can be held up or in trouble, and counts how often it is asked.
    private final class Fixture: Sendable {
        let time = TestEnvironment()
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let feed: RevocationFeed
        let store: StoreInTrouble

        init() {
            store = StoreInTrouble(InMemoryStore())
            feed = RevocationFeed(
                store: store, view: view, environment: time.environment, logger: Logger(label: "t"))
        }
    }

    @Test("what another process revokes reaches this one's view by the feed")
    func feed() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let feed = RevocationFeed(
            store: world.store, view: view, environment: world.time.environment, logger: Logger(label: "t"))
        try await feed.catchUp()
        #expect(!view.isRevoked(grant.session.id) && !view.isStale(at: world.time.uptime))
        try await world.service.revoke(.all, reason: .endedByAdministrator)
        try await feed.catchUp()
        #expect(view.isRevoked(grant.session.id))
    }

    @Test("who asks while a read is under way waits for that one, and a cancelled one fails no other")
    func together() async throws {
        let fixture = Fixture()
        fixture.store.hold()
        let first = Task { try await fixture.feed.catchUp() }
        await waitUntil { fixture.store.asked == 1 }
        let others = (0..<20).map { _ in Task { try await fixture.feed.catchUp() } }
        first.cancel()
        others[3].cancel()
        fixture.store.release()
        for (index, other) in others.enumerated() where index != 3 { try await other.value }
        _ = try? await first.value
        #expect(fixture.store.asked <= 3, "one read, and one more for those that came after it")
        #expect(!fixture.view.isStale(at: fixture.time.uptime))
    }

    @Test("a failure answers those that ask within a fifth of a second, and then the store is asked again")
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
        #expect(fixture.store.asked == 3, "a success answers nobody who asks later")
    }
}

/// Passes everything on, but for the feed of revocations, which it can hold up or fail.
private final class StoreInTrouble: StoreWrapper, @unchecked Sendable {
    private let state = Mutex<(asked: Int, isHeld: Bool, error: (any Error)?)>((0, false, nil))

    var asked: Int { state.withLock { $0.asked } }
    func hold() { state.withLock { $0.isHeld = true } }
    func release() { state.withLock { $0.isHeld = false } }
    func fail(with error: (any Error)?) { state.withLock { $0.error = error } }

    override func revocations(after position: Int64) async throws -> (revoked: [Revoked], position: Int64) {
        state.withLock { $0.asked += 1 }
        await waitUntil { state.withLock { !$0.isHeld } }
        if let error = state.withLock({ $0.error }) { throw error }
        return try await super.revocations(after: position)
    }
}
