import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Logging
import Synchronization
import Testing

@testable import CloakroomSessions

@Suite struct KeyWatchTests {
    /// A key source in memory, which behaves as a database would.
    private final class MemoryKeys: KeySource {
        private struct Down: Error {}
        private struct State {
            var keys: IssuerKeys?
            var revision: UInt8 = 0
            var isDown = false
        }

        let publishesRefreshSecrets = true
        private let state = Mutex(State())

        func set(_ keys: IssuerKeys?, isDown: Bool = false) {
            state.withLock { state in
                state.keys = keys
                state.revision += 1
                state.isDown = isDown
            }
        }

        func read(since revision: KeyRevision?) async throws -> KeyReading {
            try state.withLock { state in
                if state.isDown { throw Down() }
                guard let keys = state.keys else { return .absent }
                let current = KeyRevision(digest: [state.revision])
                return current == revision ? .unchanged : .read(keys, current)
            }
        }

        func update(_ change: @Sendable (IssuerKeys?) throws -> IssuerKeys) async throws -> IssuerKeys {
            let keys = try change(state.withLock { $0.keys })
            set(keys)
            return keys
        }
    }

    private let time = TestEnvironment()
    private let source = MemoryKeys()
    private let log = CapturedLog()
    private let live: LiveKeys<IssuerKeys>
    private let verifier: TokenVerifier
    private let watch: KeyWatch

    init() throws {
        let keys = try IssuerKeys.first(.ed25519, at: time.now, random: time.environment.random)
        source.set(keys)
        let live = LiveKeys(keys)
        let policy = SessionPolicy()
        self.live = live
        verifier = TokenVerifier(
            issuer: "iss", audience: "aud", policy: policy, keys: keys.verifierKeys,
            revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
            checkRefresh: { half throws(TokenFault) in try live.current.read(refreshToken: half.bytes.bytes).session })
        let log = log
        watch = KeyWatch(source, keys: live, verifier: verifier, logger: Logger(label: "test") { _ in log })
    }

    @Test("a change reaches issuer and verifier with the next poll; an unchanged file causes none")
    func changed() async throws {
        let epoch = verifier.keyEpoch
        await watch.poll()
        await watch.poll()
        #expect(verifier.keyEpoch == epoch && log.lines.isEmpty, "the keys at the start are not a change")
        let (now, id) = (time.now + .seconds(1), live.current.signing[0].key.id)
        _ = try await source.update { try #require($0).rotated(from: now, at: now).removing(id, at: now) }
        await watch.poll()
        #expect(verifier.keyEpoch != epoch && live.current.removed == [id])
        #expect(live.current.verifierKeys.removed == [id])
    }

    @Test("a source that fails or is empty leaves the keys in memory, and is logged once")
    func down() async throws {
        let keys = live.current
        source.set(nil, isDown: true)
        for _ in 0..<3 { await watch.poll() }
        source.set(nil)
        for _ in 0..<3 { await watch.poll() }
        #expect(live.current.signing.map(\.key.id) == keys.signing.map(\.key.id))
        #expect(log.lines.count == 2)
        source.set(keys)
        await watch.poll()
        #expect(log.lines.count == 2)
        source.set(keys, isDown: true)
        await watch.poll()
        #expect(log.lines.count == 3, "a later failure is logged again")
    }
}
