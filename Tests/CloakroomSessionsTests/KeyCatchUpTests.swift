import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Logging
import Testing

@testable import CloakroomSessions

/// What happens between two polls: a token of another instance names a key that this one does not have yet.
@Suite struct KeyCatchUpTests {
    private let time = TestEnvironment()
    private let store: InMemoryKeys
    private let source: StoredKeys
    private let live: LiveKeys<IssuerKeys>
    private let watch: KeyWatch

    init() async throws {
        let (time, policy) = (time, SessionPolicy())
        store = InMemoryKeys { time.now }
        source = StoredKeys(store, environment: time.environment) { MasterSecretTests.secrets(1) }
        let live = LiveKeys(try await source.open(nil, under: policy))
        self.live = live
        let verifier = TokenVerifier(
            issuer: "iss", audience: "aud", policy: policy, keys: live.current.verifierKeys,
            revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
            checkRefresh: { half throws(TokenFault) in try live.current.read(refreshToken: half.bytes.bytes).session })
        watch = KeyWatch(
            source, keys: live, verifier: verifier, logger: Logger(label: "test"), failureHolds: .seconds(3600))
    }

    private func rotateElsewhere() async throws -> IssuerKeys {
        let other = StoredKeys(store, environment: time.environment) { MasterSecretTests.secrets(1) }
        let now = time.now
        return try await other.update { try #require($0).rotated(from: now, at: now) }
    }

    @Test("after catching up, a key that existed before is known")
    func known() async throws {
        let keys = try await rotateElsewhere()
        try await watch.catchUp()
        #expect(live.current.signing.map(\.key.id) == keys.signing.map(\.key.id))
    }

    @Test("a caller that comes during a read gets one that begins later")
    func later() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                let keys = try await rotateElsewhere()
                group.addTask { [watch] in try await watch.catchUp() }
                try await watch.catchUp()
                #expect(live.current.signing.count == keys.signing.count)
            }
            try await group.waitForAll()
        }
    }

    @Test("a thousand callers at once cause few reads")
    func flood() async throws {
        let before = store.reads
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { [watch] in try? await watch.catchUp() } }
        }
        // One for each tenth of a second that the thousand took to come.
        #expect(store.reads - before < 500)
    }

    @Test("a store that fails is asked again only after a while, and its error reaches the callers")
    func down() async throws {
        store.setDown(true)
        let before = store.reads
        for _ in 0..<20 { await #expect(throws: InMemoryKeys.Down.self) { try await watch.catchUp() } }
        #expect(store.reads - before == 1)
        store.setDown(false)
        await watch.poll()
        try await watch.catchUp()
    }
}
