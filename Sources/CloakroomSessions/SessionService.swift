package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

/// The use cases of sessions: one method each, in a file of its own. They know nothing of passwords: the identity of
/// a person arrives as a `Proof`.
package struct SessionService: Sendable {
    package let policy: SessionPolicy
    package let verifier: TokenVerifier
    package let environment: Environment
    package let publisher: Publisher
    let clients: [ClientID: Client]
    let issuer: TokenIssuer
    let store: any SessionStore & SubjectStore & OneTimeStore
    let maximumSessions: Int
    let ids = SessionIDs()
    let overdue = OverdueLogouts()
    let handOvers = HandOverLimit()
    private let readKeys: (@Sendable () async throws -> Void)?

    /// Creates the service.
    /// - Parameters:
    ///   - clients: clients besides `Client.browser`, which always exists.
    ///   - maximumSessions: the limit for one subject.
    ///   - signal: wakes the feed of this process.
    ///   - readKeys: reads the issuer's keys again; nil if no other process changes them.
    package init(
        store: any SessionStore & SubjectStore & OneTimeStore, issuer: TokenIssuer, verifier: TokenVerifier,
        policy: SessionPolicy,
        clients: [Client] = [], maximumSessions: Int = 100, log: SecurityLog, signal: FeedSignal = FeedSignal(),
        environment: Environment = .system, readKeys: (@Sendable () async throws -> Void)? = nil
    ) {
        self.store = store
        self.issuer = issuer
        self.verifier = verifier
        self.policy = policy
        self.clients = Dictionary(([.browser] + clients).map { ($0.id, $0) }) { $1 }
        self.maximumSessions = maximumSessions
        self.environment = environment
        self.readKeys = readKeys
        publisher = Publisher(
            log: log, view: verifier.revocations, signal: signal, environment: environment)
    }

    /// The wall-clock time of the environment. Every rule uses it.
    package var now: Instant { environment.now() }

    /// The policy for a decision about generations. Just after a step of the clock forward, straggler windows are longer.
    var rotationPolicy: SessionPolicy {
        var policy = policy
        policy.stragglerWindow = policy.stragglerWindow + environment.windowLengthening(policy.stragglerWindow)
        return policy
    }

    /// The client of a session. If the client is no longer configured, the session is served as `Client.browser`.
    package func client(of session: Session) -> Client {
        clients[session.client] ?? .browser
    }

    /// Issues the access and refresh token of the session's current generation.
    func issue(_ session: Session, at now: Instant) throws -> IssuedTokens {
        let epoch = verifier.keyEpoch
        let access = try issueAccess(session, generation: session.generation, at: now)
        let age = session.remembered ? min(session.expiresAt - now, policy.idleLifetime) : nil
        let tokens = IssuedTokens(
            access: access, refresh: try issuer.refreshToken(for: session), delivery: client(of: session).delivery,
            maximumAge: age)
        verifier.remember(tokens, since: epoch)
        return tokens
    }

    func issueAccess(_ session: Session, generation: Int, at now: Instant) throws -> VerifiedAccess {
        try issuer.accessToken(
            for: session, generation: generation, tokenID: environment.random(16), at: now, under: policy)
    }

    /// Reads a refresh token that this server issued, from a cookie or a body.
    /// - Parameter host: the host of the request. The token of a session of another host is not genuine there.
    package func read(
        refreshToken bytes: some Collection<UInt8>, at host: SessionHost
    ) throws(Denial) -> RefreshToken {
        do { return try issuer.keys.current.read(refreshToken: bytes).presented(at: host) } catch { throw error.denial }
    }

    /// Reads the keys once more if a refresh token names an unknown secret: another instance may have begun to sign with it
    /// since the last poll. Does nothing for a token that is broken otherwise.
    /// - Throws: `Denial.unavailable` if the keys cannot be read: the token may be good.
    package func learnKey(of token: some Collection<UInt8>) async throws(Denial) {
        do { _ = try issuer.keys.current.read(refreshToken: token) } catch {
            guard error == .unknownKey else { return }
            try await learnKeys()
        }
    }

    /// Reads the keys once more if another instance has signed the current generation with an unknown secret.
    func learnKey(of session: Session) async throws(Denial) {
        guard issuer.keys.current.refreshKey(session.refreshKey) == nil else { return }
        try await learnKeys()
    }

    private func learnKeys() async throws(Denial) {
        guard let readKeys else { return }
        do { try await readKeys() } catch { throw Denial.unavailable(retryAfter: .seconds(1)) }
    }

    /// The public key set, for other backends (RFC 7517).
    package func publicKeySet() throws -> JSONValue {
        try issuer.keys.current.publicKeySet(at: now, lifetime: policy.accessTokenLifetime)
    }

    var refreshKeyID: String { issuer.keys.current.refreshKey(at: now).id }
}
