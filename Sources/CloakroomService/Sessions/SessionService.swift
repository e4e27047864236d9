package import CloakroomCore
package import CloakroomTokens

/// The use cases of the authorization server: one method each, in a file of its own.
package struct SessionService: Sendable {
    package let policy: SessionPolicy
    package let verifier: TokenVerifier
    package let clients: [ClientID: Client]
    package let isSignUpOpen: Bool
    let issuer: TokenIssuer
    let store: any SessionStore & UserStore
    let hasher: PasswordHasher
    let loginLimit: LoginRateLimit
    let signUpLimit: SignUpRateLimit
    let refusals = RefusalTally()
    let maximumSessions: Int
    let log: SecurityLog
    let environment: Environment
    let overdue = OverdueLogouts()

    /// - Parameters:
    ///   - clients: besides `Client.browser`, which always exists.
    ///   - failedLoginsPerMinute: per account and per network; nil for no limit.
    ///   - signUpsPerHour: per network; nil for no limit.
    ///   - maximumSessions: of one subject.
    package init(
        store: any SessionStore & UserStore, issuer: TokenIssuer, verifier: TokenVerifier, hasher: PasswordHasher,
        policy: SessionPolicy, clients: [Client] = [], isSignUpOpen: Bool = false, failedLoginsPerMinute: Int? = 20,
        signUpsPerHour: Int? = 20, maximumSessions: Int = 100, log: SecurityLog, environment: Environment = .system
    ) {
        self.store = store
        self.issuer = issuer
        self.verifier = verifier
        self.hasher = hasher
        self.policy = policy
        self.clients = Dictionary(([.browser] + clients).map { ($0.id, $0) }) { $1 }
        self.isSignUpOpen = isSignUpOpen
        loginLimit = LoginRateLimit(perMinute: failedLoginsPerMinute)
        signUpLimit = SignUpRateLimit(perHour: signUpsPerHour)
        self.maximumSessions = maximumSessions
        self.log = log
        self.environment = environment
    }

    /// Where a request comes from, as the list of sessions shows it.
    package struct Device: Hashable, Sendable {
        package let userAgent: String
        package let address: String

        /// Whatever a client sends as its name is cut to a length and to printable ASCII: it ends up on pages and in
        /// terminals.
        package init(userAgent: String, address: String) {
            let printable = userAgent.unicodeScalars.filter { $0.isASCII && $0.value >= 0x20 && $0.value != 0x7F }
            self.userAgent = String(String.UnicodeScalarView(printable.prefix(256)))
            self.address = address
        }

        var network: NetworkAddress { NetworkAddress(of: address) }
    }

    /// The time by which every rule decides.
    package var now: Instant { environment.now() }

    /// The client of a session: a client that was taken out of the configuration is served like a browser.
    package func client(of session: Session) -> Client {
        clients[session.client] ?? .browser
    }

    /// Announces revocations to this process at once; the feed brings them to the others.
    func announce(_ revoked: [Revoked]) {
        let uptime = environment.uptime()
        for entry in revoked { verifier.revocations.insert(entry.session, at: uptime) }
    }

    /// The pair of tokens of the session's current generation.
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

    /// Reads a refresh token of ours, from a cookie or a body.
    package func read(refreshToken bytes: some Collection<UInt8>) throws(Denial) -> RefreshToken {
        do { return try issuer.keys.current.read(refreshToken: bytes) } catch { throw error.denial }
    }

    /// The public key set, for other backends (RFC 7517).
    package func publicKeySet() throws -> JSONValue {
        try issuer.keys.current.publicKeySet(at: now, lifetime: policy.accessTokenLifetime)
    }

    var refreshKeyID: String { issuer.keys.current.currentRefreshKey.id }
}

/// What a request may know of its session, with the tokens to hand out if there are any.
package struct SessionGrant: Sendable {
    package let user: User
    package let session: Session
    /// The access token that the client holds; nil when it is not known to hold one.
    package let access: VerifiedAccess?
    /// nil when nothing was renewed.
    package let renewal: Renewal?

    /// What the answer hands out; nil when the request was served without.
    package var tokens: IssuedTokens? {
        switch renewal {
        case .renewed(let tokens): tokens
        case .served, nil: nil
        }
    }

    /// The level that this very request has: a straggler's is that of the generation it brought.
    package var authentication: Authentication {
        (renewal?.access ?? access)?.authentication ?? session.authentication
    }
}
