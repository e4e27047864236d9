import AsyncHTTPClient
public import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
public import Logging
import NIOCore
public import ServiceLifecycle

/// Verifies the access tokens of a Cloakroom that runs elsewhere, in an app that has no store and no private keys.
///
/// Add it to the router and to the services of the app: as a service it fetches the key set of the issuer and keeps it
/// current. Before the first key set has arrived, requests with a token get 503.
///
/// ```swift
/// let server = try ResourceServer(issuer: "https://app.example.com")
/// router.addResourceServer(server)
/// app.addServices(server)
/// ```
///
/// **How long a revoked session still works.** Without `revocations`, the app accepts an access token until it expires,
/// five minutes with the issuer's default, also after a logout. A gateway or forward-auth in front of the app refuses a
/// revoked session within a second; a request that goes past it does not. With `revocations`, the app refuses a revoked
/// session within a second by itself.
///
/// **Cookies** are not read: only the issuer can verify and renew the tokens in them. Because no browser adds an
/// `Authorization` header by itself, another site cannot use the session of a visitor. Behind a gateway or forward-auth,
/// which add that header, they check the origin.
public final class ResourceServer: Service {
    /// The wall clock, for `RequireSession` and `access(requiring:at:)`.
    public let now: @Sendable () -> Instant
    package let logger: Logger
    private let verifier: TokenVerifier
    /// nil for every host.
    private let host: SessionHost?
    private let authorizer: SessionAuthorizer
    private let keys: KeySetFeed
    private let stream: RevocationStream?
    private let timing: Timing
    private let rejected: SampledLog

    /// - Parameters:
    ///   - issuer: `iss` of the tokens: the issuer's setting `issuer`, which is its `publicURL` by default.
    ///   - audience: `aud` of the tokens: the issuer's setting `audience`; by default the same as `issuer`.
    ///   - host: the host of the issuer's setting `hosts` to which this app belongs, with its port if that is not the default
    ///     one; `*` for an app that serves all of them. By default the login host. A token of a session of another host is
    ///     refused.
    ///   - jwks: the address of the key set; by default `/.well-known/jwks.json` of the issuer.
    ///   - revocations: the stream of revocations; without it a token is good until it expires.
    ///   - longestTokenLifetime: a token that is valid for longer than this is refused, because the revocation of its
    ///     session is forgotten before. Set it at least to the issuer's `accessTokenLifetime`.
    ///   - insecureAllowsPlainHTTP: allows `http` to other hosts than the local one. Somebody between the two hosts can
    ///     then replace the keys, and read the service key.
    ///   - logger: writes denials at level debug, and problems with the issuer.
    /// - Throws: `UnusableAddress`.
    public convenience init(
        issuer: String, audience: String? = nil, host: String? = nil, jwks: String? = nil,
        revocations: RevocationSource? = nil, longestTokenLifetime: Span = .minutes(60),
        insecureAllowsPlainHTTP: Bool = false,
        logger: Logger = Logger(label: "cloakroom")
    ) throws {
        try self.init(
            issuer: issuer, audience: audience, host: host, jwks: jwks, revocations: revocations,
            longestTokenLifetime: longestTokenLifetime, insecureAllowsPlainHTTP: insecureAllowsPlainHTTP,
            logger: logger, timing: Timing())
    }

    package init(
        issuer: String, audience: String? = nil, host: String? = nil, jwks: String? = nil,
        revocations: RevocationSource? = nil, longestTokenLifetime: Span = .minutes(60),
        insecureAllowsPlainHTTP: Bool = false, logger: Logger,
        timing: Timing
    ) throws {
        let keySet = try ServiceAddress(
            jwks ?? "\(issuer)/.well-known/jwks.json", allowsPlainHTTP: insecureAllowsPlainHTTP)
        let policy = SessionPolicy(accessTokenLifetime: longestTokenLifetime)
        let view = RevocationView(
            accessTokenLifetime: longestTokenLifetime, staleAfter: revocations?.staleAfter ?? .zero)
        let verifier = TokenVerifier(
            issuer: issuer, audience: audience ?? issuer, policy: policy,
            keys: try VerifierKeys(published: KeySet([])), revocations: view,
            checkRefresh: { _ throws(TokenFault) in throw .malformed("only the issuer verifies refresh tokens") })
        self.verifier = verifier
        self.host = host == "*" ? nil : host.map { .other($0) } ?? .login
        now = timing.now
        self.logger = logger
        self.timing = timing
        rejected = SampledLog(logger: logger)
        keys = KeySetFeed(address: keySet, verifier: verifier, timing: timing, logger: logger)
        stream = try revocations.map {
            try RevocationStream(
                $0, view: view, timing: timing, logger: logger, allowsPlainHTTP: insecureAllowsPlainHTTP)
        }
        let trustsStaleView = revocations?.insecureTrustsTokensWhenStale ?? true
        authorizer = SessionAuthorizer(
            verifier: verifier, cookie: SessionCookie(), policy: policy, now: timing.now, uptime: timing.uptime,
            renew: nil, saw: { _ in },
            catchUp: { if !trustsStaleView { throw Denial.unavailable(retryAfter: .seconds(1)) } })
    }

    /// Keeps the key set current and follows the stream of revocations until the task is cancelled or a graceful
    /// shutdown begins.
    public func run() async throws {
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: timing.clientConfiguration)
        await cancelWhenGracefulShutdown { [keys, stream] in
            await withTaskGroup { group in
                group.addTask { await keys.run(client) }
                if let stream { group.addTask { await stream.run(client) } }
            }
        }
        try await client.shutdown()
    }

    /// - Parameter authorization: the values of every `Authorization` header of a request.
    /// - Returns: `absent` without a bearer token.
    func sessionState(for authorization: [String]) async -> SessionState {
        do {
            let credentials = try await credentials(authorization)
            guard credentials.bearer != nil else { return .absent }
            return SessionState(.verified(try await authorizer.authorize(credentials).access))
        } catch let denial as Denial {
            return SessionState(.refused(denial))
        } catch {
            logger.error("a token could not be checked", metadata: ["error": "\(error)"])
            return SessionState(.refused(.unavailable(retryAfter: .seconds(1))))
        }
    }

    /// The verified credentials. Fetches the key set if the token names an unknown key.
    private func credentials(_ authorization: [String]) async throws(Denial) -> RequestCredentials {
        var credentials = verify(authorization)
        guard credentials.bearer != nil else { return credentials }
        guard keys.hasKeys else { throw .unavailable(retryAfter: .seconds(1)) }
        if credentials.bearer?.fault == .unknownKey {
            await keys.lookUp()
            credentials = verify(authorization)
        }
        warn(of: credentials.bearer?.fault)
        return credentials
    }

    private func verify(_ authorization: [String]) -> RequestCredentials {
        RequestCredentials(cookies: [], authorization: authorization, to: host, verifier: verifier, at: now())
    }

    /// Logs a token that a key of the issuer has signed, but that this app refuses: a parameter is probably wrong.
    private func warn(of fault: TokenFault?) {
        guard let fault, [.wrongIssuer, .wrongAudience, .lifetimeTooLong, .otherHost].contains(fault) else { return }
        rejected.warning(
            "a token of a known key was refused; see the parameters of ResourceServer",
            metadata: ["reason": "\(fault.reason)"])
    }
}

extension RequestCredentials.Bearer {
    /// Why the token was refused; nil for a good one.
    fileprivate var fault: TokenFault? {
        switch self {
        case .ours(.success): nil
        case .ours(.failure(let fault)), .foreign(let fault): fault
        }
    }
}
