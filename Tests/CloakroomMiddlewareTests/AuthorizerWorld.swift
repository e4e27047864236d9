import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Synchronization
import Testing

@testable import CloakroomMiddleware

/// An issuer, a resource server with its authorizer, and clocks that the test moves. Records renewals and feed reads,
/// and gives the answers that the test sets.
final class AuthorizerWorld: Sendable {
    static let start = Instant(milliseconds: 1_800_000_000_000)
    static let issuer = "https://issuer.example"

    let policy = SessionPolicy()
    let keys: LiveKeys<IssuerKeys>
    let issuer: TokenIssuer
    let verifier: TokenVerifier
    let cookie = SessionCookie()
    /// `renew`, `catch up` and `saw GENERATION`, in order.
    let events = Recorder()
    private let state: Mutex<State>

    struct Failure: Error {}

    private struct State {
        var now = AuthorizerWorld.start
        var uptime = Duration.seconds(1000)
        var renewal: Result<Renewal, any Error> = .failure(Failure())
        var catchUp: Result<Void, any Error> = .success(())
    }

    init() throws {
        let keys = LiveKeys(
            try IssuerKeys(
                signing: [.init(key: SigningKey.generate(.es256), createdAt: Self.start, signsFrom: Self.start)],
                refresh: [
                    .init(
                        key: RefreshKey(id: "r1", secret: Secret([UInt8](repeating: 7, count: 32))),
                        createdAt: Self.start)
                ]))
        self.keys = keys
        issuer = TokenIssuer(issuer: Self.issuer, audience: Self.issuer, keys: keys)
        verifier = TokenVerifier(
            issuer: Self.issuer, audience: Self.issuer, policy: policy, keys: keys.current.verifierKeys,
            revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
            checkRefresh: { half throws(TokenFault) in try keys.current.read(refreshToken: half.bytes.bytes).session })
        state = Mutex(State())
        verifier.revocations.confirm(at: uptime, now)
    }

    var now: Instant { state.withLock { $0.now } }
    var uptime: Duration { state.withLock { $0.uptime } }

    /// Advances both clocks and reads the feed.
    func advance(_ span: Span) {
        advanceInSilence(span)
        verifier.revocations.confirm(at: uptime, now)
    }

    /// Advances both clocks without reading the feed.
    func advanceInSilence(_ span: Span) {
        state.withLock { state in
            state.now = state.now + span
            state.uptime += .milliseconds(span.milliseconds)
        }
    }

    /// Sets the wall clock; the monotonic clock stays.
    func setWallClock(_ time: Instant) {
        state.withLock { $0.now = time }
    }

    func answerRenewals(_ renewal: Result<Renewal, any Error>) {
        state.withLock { $0.renewal = renewal }
    }

    func answerFeed(_ result: Result<Void, any Error>) {
        state.withLock { $0.catchUp = result }
    }

    var authorizer: SessionAuthorizer { authorizer(canRenew: true) }

    func authorizer(canRenew: Bool) -> SessionAuthorizer {
        SessionAuthorizer(
            verifier: verifier, cookie: cookie, policy: policy, now: { self.now }, uptime: { self.uptime },
            renew: canRenew ? { @Sendable _, _ in try self.renew() } : nil,
            saw: { self.events.append("saw \($0.generation)") },
            catchUp: { try self.catchUp() })
    }

    private func renew() throws -> Renewal {
        events.append("renew")
        return try state.withLock { $0.renewal }.get()
    }

    private func catchUp() throws {
        events.append("catch up")
        try state.withLock { $0.catchUp }.get()
        verifier.revocations.confirm(at: uptime, now)
    }

    func session(_ id: String = "session", authenticatedAt time: Instant = start) -> Session {
        Session(
            id: SessionID(id), subject: Subject("u_someone"), secret: Secret([UInt8](repeating: 3, count: 32)),
            refreshKey: "r1",
            details: Session.Details(
                client: .browser, remembered: false, userAgent: "",
                address: "", evidence: Evidence(.password, at: time)),
            at: Self.start, under: policy)
    }

    func access(_ session: Session? = nil) throws -> VerifiedAccess {
        let session = session ?? self.session()
        return try issuer.accessToken(
            for: session, generation: session.generation, tokenID: [1, 2, 3], at: now, under: policy)
    }

    func tokens(_ session: Session? = nil) throws -> IssuedTokens {
        let session = session ?? self.session()
        return IssuedTokens(
            access: try access(session), refresh: try issuer.refreshToken(for: session), delivery: .cookie,
            maximumAge: nil)
    }

    /// The value of the cookie that a browser has after login.
    func cookieValue(_ session: Session? = nil) throws -> String {
        let tokens = try tokens(session)
        return SessionTokens.join(access: tokens.access.token, refresh: tokens.refresh)
    }

    func credentials(cookies: String..., authorization: [String] = []) -> RequestCredentials {
        RequestCredentials(
            cookies: cookies.map { Array($0.utf8) }, authorization: authorization, to: .login, verifier: verifier,
            at: now)
    }

    /// The value of the header `Authorization`.
    static func bearer(_ access: VerifiedAccess) -> String {
        "Bearer \(String(decoding: access.token.bytes, as: UTF8.self))"
    }
}
