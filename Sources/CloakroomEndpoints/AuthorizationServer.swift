package import CloakroomAccounts
public import CloakroomCore
public import CloakroomMiddleware
public import CloakroomSessions
public import CloakroomStores
public import CloakroomTokens
public import Logging

/// The authorization server: the state that all endpoints share, built from a store, keys and a configuration.
///
/// Add it to a router with `addCloakroom`, and run `maintain` beside the HTTP server.
public struct AuthorizationServer: Sendable {
    /// The settings of a server. Every default is the safe one.
    public struct Configuration: Sendable {
        /// The origin that browsers use; nil for plain HTTP on this machine only.
        public var publicURL: WebOrigin?
        /// More hosts of this server, each an origin with the scheme of the public URL and a domain in common with it. A
        /// login at the host of the public URL serves them all (`docs/several-hosts.md`).
        public var hosts: Set<WebOrigin> = []
        /// The path of the page at the host of the public URL where users log in.
        public var loginPage = "/auth/pages/login"
        /// The `iss` of access tokens; the default initializer sets it to the public URL. Without a public URL it is
        /// the same at every start and on every port: tokens and cookies must survive a restart.
        public var issuer = "http://localhost"
        /// The `aud` of access tokens; nil for the issuer.
        public var audience: String?
        /// The lifetimes of sessions, access tokens and the straggler window.
        public var policy = SessionPolicy()
        /// The algorithm that signs access tokens. nil keeps that of the existing keys, and
        /// means ES256 at the first start.
        public var signingAlgorithm: SigningAlgorithm?
        /// How long a signing key and a refresh secret sign until new ones take over; nil for no rotation by interval. At
        /// least an hour, and a ninetieth of `policy.absoluteLifetime`.
        public var keyRotation: Span?
        /// Whether any client may create an account.
        public var isSignUpOpen = false
        /// Clients besides `browser`, whose tokens go into the cookie.
        public var clients: [Client] = []
        /// The limit of failed logins per minute, for each account and each network; nil for no limit.
        public var failedLoginsPerMinute: Int? = 20
        /// The limit of sign-ups per hour, for each network; nil for no limit.
        public var signUpsPerHour: Int? = 20
        /// The limit of sessions of one subject. Beyond it, a new session ends the one that was unused for longest.
        public var maximumSessions = 100
        /// The name of the session cookie, with a `__Host-` prefix.
        public var cookieName = SessionCookie.defaultName
        /// The `SameSite` of the cookie.
        public var sameSite = SessionCookie.SameSite.lax
        /// Whether responses set the `XSRF-TOKEN` cookie, for browsers that send no `Origin`.
        public var givesXSRFCookie = false
        /// Front ends on other hosts.
        public var trustedOrigins: Set<OriginPattern> = []
        /// The paths of the app's own service workers. The server refuses every other script that a browser requests
        /// as a service worker.
        public var serviceWorkers: Set<String> = []
        /// The names of the claims that backends may add to access tokens (`Claims.isName`).
        public var claims: Set<String> = []
        /// The claim `ttl` of status lists, in seconds (2 or more); nil for access tokens that name no status list
        /// (`docs/kits.md`).
        public var statusListTTL: Int?
        /// The peers from which forwarded headers are accepted.
        public var trustedProxies = TrustedProxies.none
        /// How long access tokens are accepted while the store cannot prove that no revocation is missing, beyond the
        /// second for which they always are. Sessions that another instance has ended work here for that long.
        public var insecureStaleRevocations = Span.zero

        /// The default settings. A public URL also becomes the issuer.
        public init(publicURL: WebOrigin? = nil) {
            self.publicURL = publicURL
            if let publicURL { issuer = publicURL.description }
        }
    }

    package let configuration: Configuration
    package let sessions: SessionService
    package let accounts: AccountService
    package let backends: BackendService
    package let authorizer: SessionAuthorizer
    package let originPolicy: OriginPolicy
    package let xsrf: XSRFCookie?
    let logger: Logger
    private let keys: LiveKeys<IssuerKeys>
    private let keyWatch: KeyWatch
    /// nil without the setting `keyRotation`.
    private let keyRotation: KeyRotation?
    private let sightings: SightingQueue
    let feed: RevocationFeed
    /// nil without the setting `statusListTTL`.
    let statusLists: StatusLists?
    let credentialWatch: CredentialWatch
    private let sweeper: Sweeper
    private let probe: StoreProbe
    private let events: EventFollower
    private let gauges: StoreGauges

    /// Creates a server, and creates or reads its keys.
    /// - Throws: `Configuration.Invalid`, or an error that says why the keys cannot be used.
    public init(
        store: any Store, keys: KeyFiles, configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "cloakroom")
    ) throws {
        try configuration.check()
        try self.init(
            store: store, keySource: keys,
            keys: keys.open(configuration.signingAlgorithm?.algorithm, under: configuration.policy),
            configuration: configuration, hasher: Self.hasher(), environment: .system(on: store), logger: logger)
    }

    /// - Parameter storePatience: how long `/readyz`, and a check that needs the feed of revocations, wait for the store
    ///   before they answer 503.
    package init(
        store: any Store, keySource: any KeySource, keys: IssuerKeys,
        configuration: Configuration,
        hasher: PasswordHasher, environment: CloakroomCore.Environment, storePatience: Duration = .seconds(2),
        logger: Logger = Logger(label: "cloakroom")
    ) {
        self.configuration = configuration
        self.logger = logger
        let policy = configuration.policy
        let audience = configuration.audience ?? configuration.issuer
        let keys = LiveKeys(keys)
        self.keys = keys
        let verifier = TokenVerifier(
            issuer: configuration.issuer, audience: audience, policy: policy, keys: keys.current.verifierKeys,
            revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
            checkRefresh: { half throws(TokenFault) in try keys.current.read(refreshToken: half.bytes.bytes).session })
        let keyWatch = KeyWatch(keySource, keys: keys, verifier: verifier, logger: logger)
        self.keyWatch = keyWatch
        keyRotation = configuration.keyRotation.map { interval in
            KeyRotation(keySource, keys: keys, every: interval, environment: environment, logger: logger) {
                try await keyWatch.catchUp()
            }
        }
        let log = SecurityLog(logger: Logger(label: "cloakroom.security"), uptime: environment.uptime)
        let signal = FeedSignal()
        let sessions = SessionService(
            store: store,
            issuer: TokenIssuer(
                issuer: configuration.issuer, audience: audience, keys: keys, claimNames: configuration.claims,
                statusLists: configuration.statusLists),
            verifier: verifier, policy: policy, clients: configuration.clients,
            maximumSessions: configuration.maximumSessions, log: log, signal: signal, environment: environment,
            readKeys: { try await keyWatch.catchUp() })
        let sightings = SightingQueue(store: store, policy: policy, environment: environment, logger: logger)
        let feed = RevocationFeed(
            store: store, view: verifier.revocations, publisher: sessions.publisher, signal: signal,
            environment: environment, patience: storePatience, logger: logger)
        self.sessions = sessions
        statusLists = configuration.statusLists.map {
            StatusLists($0, view: verifier.revocations, keys: keys, environment: environment) {
                try await feed.catchUp()
            }
        }
        accounts = AccountService(
            store: store, sessions: sessions, hasher: hasher, isSignUpOpen: configuration.isSignUpOpen,
            failedLoginsPerMinute: configuration.failedLoginsPerMinute, signUpsPerHour: configuration.signUpsPerHour)
        backends = BackendService(store: store, sessions: sessions)
        credentialWatch = CredentialWatch(backends)
        self.sightings = sightings
        self.feed = feed
        sweeper = Sweeper(store: store, policy: policy, environment: environment, logger: logger)
        probe = StoreProbe(store: store, environment: environment, logger: logger, patience: storePatience)
        events = EventFollower(store: store, log: log, logger: logger)
        gauges = StoreGauges(store: store, policy: policy, environment: environment)
        originPolicy = OriginPolicy(
            ownOrigin: configuration.publicURL, hosts: configuration.hosts,
            trustedOrigins: configuration.trustedOrigins,
            serviceWorkers: configuration.serviceWorkers)
        let cookie = Self.cookie(configuration)
        xsrf = configuration.givesXSRFCookie ? XSRFCookie(of: cookie, keys: keys, now: environment.now) : nil
        authorizer = SessionAuthorizer(
            verifier: verifier, cookie: cookie, policy: policy, now: { environment.now() },
            uptime: { environment.uptime() },
            renew: { try await sessions.renew($0, at: $1) },
            saw: { sightings.saw($0) },
            catchUp: Self.catchUp(feed, verifier.revocations, configuration, environment),
            readKeys: { try await keyWatch.catchUp() })
    }

    /// Updates the view of revocations, or tolerates its age where the configuration says so.
    private static func catchUp(
        _ feed: RevocationFeed, _ view: RevocationView, _ configuration: Configuration,
        _ environment: CloakroomCore.Environment
    ) -> @Sendable () async throws -> Void {
        let grace = Duration.milliseconds(configuration.insecureStaleRevocations.milliseconds)
        return {
            do { try await feed.catchUp() } catch {
                guard grace > .zero, view.isCurrent(for: grace, at: environment.uptime(), environment.now()) else {
                    throw error
                }
            }
        }
    }

    /// Whether browsers reach this server over TLS.
    package var isHTTPS: Bool { configuration.publicURL?.scheme == "https" }

    /// Whether responses have `Strict-Transport-Security`. For `localhost` it would stop every other development server
    /// there, because it applies to the host with all its ports.
    package var demandsTLS: Bool { isHTTPS && configuration.publicURL?.isLoopback == false }

    /// The rules of forward-auth checks.
    package var checkRules: CheckRules {
        CheckRules(authorizer: authorizer, originPolicy: originPolicy, xsrf: xsrf)
    }

    /// The clock of every rule, for `RequireSession` and step-up checks.
    public var now: @Sendable () -> Instant { authorizer.now }

    /// Uses one thread fewer than there are processors, so that one core stays free for requests without passwords.
    package static func hasher() throws -> PasswordHasher {
        try PasswordHasher(threads: max(1, Processors.count - 1))
    }

    private static func cookie(_ configuration: Configuration) -> SessionCookie {
        let isPlainLoopback = configuration.publicURL.map { $0.isLoopback && $0.scheme == "http" } ?? true
        return SessionCookie(
            name: configuration.cookieName, sameSite: configuration.sameSite, isLoopbackDevelopment: isPlainLoopback)
    }

    /// Runs the background work until the task is cancelled: follows revocations and keys that other processes
    /// change, logs events of the command line, saves sightings and overdue logouts, and sweeps.
    public func maintain() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await feed.run() }
            group.addTask { await sightings.run() }
            group.addTask { await sweeper.run() }
            group.addTask { await events.run() }
            group.addTask { await gauges.run() }
            group.addTask { await sessions.writeOverdueLogouts() }
            group.addTask { await accounts.recordRefusals() }
            group.addTask { await keyWatch.run() }
            if let keyRotation { group.addTask { await keyRotation.run() } }
        }
    }

    /// Whether the store takes writes, and the server is not about to stop.
    func isReady() async -> Bool {
        await probe.isReady()
    }

    /// Makes `/readyz` respond 503, so that load balancers send no more requests before the server stops.
    package func leaveLoadBalancers() async {
        await probe.stop()
    }
}
