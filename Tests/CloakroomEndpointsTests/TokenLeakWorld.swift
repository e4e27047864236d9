import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

/// A state of a session and its tokens, as a request presents them.
enum PresentedState: CaseIterable, Sendable {
    case fresh, expired, nearlyExpired, pending, straggler, reused, hybrid, hybridBearer, body, bodyBearer, bearer
    case bearerExpired, idleTooLong, revoked, forged, unknownKey, differentSessions

    var client: ClientID {
        switch self {
        case .hybrid, .hybridBearer: ClientID("spa")
        case .body, .bodyBearer: ClientID("native")
        default: .browser
        }
    }

    /// The members of a JSON body that carry tokens by design: those of the client's delivery, in the responses that
    /// have the form of a login's. No other response may contain a token.
    func delivered(by method: HTTPRequest.Method, _ path: String) -> Set<String> {
        guard Self.delivering[String(path.prefix { $0 != "?" })] == method else { return [] }
        switch self {
        case .hybrid, .hybridBearer: return ["access_token"]
        case .body, .bodyBearer: return ["access_token", "refresh_token"]
        case .fresh, .expired, .nearlyExpired, .pending, .straggler, .reused, .revoked, .idleTooLong:
            return []
        case .bearer, .bearerExpired, .forged, .unknownKey, .differentSessions: return []
        }
    }

    private static let delivering: [String: HTTPRequest.Method] = [
        "/auth/signup": .post, "/auth/login": .post, "/auth/refresh": .post, "/auth/session": .get,
        "/auth/step-up": .post,
    ]
}

/// An authorization server whose store the test fills, so that each request gets a session of its own.
struct TokenLeakWorld: Sendable {
    let server: TestServer
    private let store: InMemoryStore
    private let hash: PasswordHash
    private let counter = Collected<Int>()

    /// - Parameter configure: changes the other settings.
    init(_ configure: (inout AuthorizationServer.Configuration) -> Void = { _ in }) async throws {
        let store = InMemoryStore()
        self.store = store
        server = try TestServer(store: store) { configuration in
            configuration.clients = [
                Client(id: ClientID("spa"), delivery: .hybrid),
                Client(id: ClientID("native"), delivery: .body, insecureAllowBrowser: true),
            ]
            configuration.trustedOrigins = Set(["https://front.example"].compactMap { OriginPattern(parsing: $0) })
            configuration.givesXSRFCookie = true
            configure(&configuration)
        }
        let hasher = try PasswordHasher(cost: TestServer.cost, threads: 1)
        hash = try await hasher.hash(try #require(Password(TestServer.password)))
    }

    /// The credentials of one request.
    struct Presented: Sendable {
        var email: String
        var cookie: String?
        var bearer: String?
        /// The refresh token for the body, for clients with body delivery.
        var refreshToken: String?
        /// Another session of the subject, which the request may end.
        var otherSession: String

        var secrets: [String] {
            let halves = cookie.map { $0.split(separator: "~").map(String.init) } ?? []
            return halves + [cookie, bearer, refreshToken].compactMap { $0 }
        }
    }

    /// Begins a session for a subject of an app that has a login of its own.
    func presentSessionOfApp() async throws -> Presented {
        counter.append(contentsOf: [1])
        let number = counter.values.count
        let user = Account(
            subject: Subject("\(number)"), email: try #require(EmailAddress(parsing: "user\(number)@example.com")),
            passwordHash: hash, createdAt: server.now)
        let session = try await begin("session\(number)", user, .browser, isChecked: false)
        var presented = try await tokens(of: session, .fresh)
        presented.email = user.email.rawValue
        presented.otherSession = try await begin("other\(number)", user, .browser, isChecked: false).id.rawValue
        return presented
    }

    /// Blocks the subject of the account, as a backend does.
    func block(_ presented: Presented) async throws {
        let email = try #require(EmailAddress(parsing: presented.email))
        let account = try #require(try await store.account(email))
        _ = try await store.setBlocked(true, account.subject, recording: [], at: server.now)
    }

    /// Creates an account with a session in that state.
    func present(_ state: PresentedState) async throws -> Presented {
        counter.append(contentsOf: [1])
        let number = counter.values.count
        let subject = Subject("u_\(number)")
        let email = "user\(number)@example.com"
        let user = Account(
            subject: subject, email: try #require(EmailAddress(parsing: email)), passwordHash: hash,
            createdAt: server.now)
        _ = try await store.add(user, recording: [])
        let other = try await begin("other\(number)", user, .browser)
        let age: Span = state == .idleTooLong ? .days(40) : .minutes(10)
        let session = try await begin("session\(number)", user, state.client, ago: age)
        var presented = try await tokens(of: session, state)
        presented.email = email
        presented.otherSession = other.id.rawValue
        return presented
    }

    private func begin(
        _ id: String, _ user: Account, _ client: ClientID, ago age: Span = .minutes(10), isChecked: Bool = true
    ) async throws -> Session {
        let time = server.now - age
        let session = Session(
            id: SessionID(id), subject: user.subject, secret: Secret(CloakroomCore.Environment.system.random(32)),
            refreshKey: server.keys.refreshKey(at: server.now).id,
            details: Session.Details(
                client: client, remembered: false, userAgent: "", address: "", evidence: Evidence(.password, at: time)),
            at: time, under: policy)
        let start = SessionStart(
            session, credentialVersion: isChecked ? user.credentialVersion : nil, maximumSessions: 100, policy: policy)
        #expect(try await store.begin(start, recording: []) != nil)
        return session
    }

    private var policy: SessionPolicy { server.server.configuration.policy }

    private func tokens(of session: Session, _ state: PresentedState) async throws -> Presented {
        let refresh = text(try issuer().refreshToken(for: session))
        func access(minutesAgo: Int64 = 0, keys: IssuerKeys? = nil, session other: Session? = nil) throws -> String {
            text(try self.access(other ?? session, at: server.now - .minutes(minutesAgo), keys))
        }
        var presented = Presented(email: "", otherSession: "")
        switch state {
        case .fresh: presented.cookie = "\(try access())~\(refresh)"
        case .expired, .idleTooLong: presented.cookie = "\(try access(minutesAgo: 6))~\(refresh)"
        case .nearlyExpired:
            let nearly = try self.access(session, at: server.now - .seconds(295), nil)
            presented.cookie = "\(text(nearly))~\(refresh)"
        case .pending:
            presented.cookie = "\(try access(minutesAgo: 6))~\(refresh)"
            try await rotate(session, confirming: false, secondsAgo: 60)
        case .straggler:
            presented.cookie = "\(try access(minutesAgo: 6))~\(refresh)"
            try await rotate(session, confirming: true, secondsAgo: 5)
        case .reused:
            presented.cookie = "\(try access(minutesAgo: 6))~\(refresh)"
            try await rotate(session, confirming: true, secondsAgo: 60)
        case .hybrid: presented.cookie = "~\(refresh)"
        case .hybridBearer:
            presented.cookie = "~\(refresh)"
            presented.bearer = try access()
        case .body: presented.refreshToken = refresh
        case .bodyBearer:
            presented.refreshToken = refresh
            presented.bearer = try access()
        case .bearer: presented.bearer = try access()
        case .bearerExpired: presented.bearer = try access(minutesAgo: 6)
        case .revoked:
            presented.cookie = "\(try access())~\(refresh)"
            _ = try await store.update(session.id) { session in
                Decided(session.revoke(.endedByUser, at: session.createdAt))
            }
            server.server.sessions.verifier.revocations.insert(session.id, at: server.uptime)
        case .forged:
            presented.cookie = "\(try access(keys: otherKeys()))~\(refresh.dropLast(3))AAA"
            presented.bearer = try access(keys: otherKeys())
        case .unknownKey: presented.cookie = "\(try access(keys: otherKeys()))~\(refresh)"
        case .differentSessions:
            let other = try await begin(
                "\(session.id)x", try #require(try await store.account(session.subject)), .browser)
            presented.cookie = "\(try access(session: other))~\(refresh)"
        }
        return presented
    }

    /// - Parameter secondsAgo: the age of the rotation, or of its confirmation.
    private func rotate(_ session: Session, confirming: Bool, secondsAgo: Int64) async throws {
        let (policy, time) = (policy, server.now - .seconds(secondsAgo))
        let held = PresentedRefresh(
            generation: 0, issuedAt: session.rotatedAt, key: server.keys.refreshKey(at: server.now).id)
        let answer = try await store.update(session.id) { session -> Decided<RefreshAnswer> in
            let answer = session.refresh(presenting: held, at: time, under: policy, signingWith: held.key)
            if confirming { session.confirm(generation: 1, at: time, under: policy) }
            return Decided(answer)
        }
        #expect(answer?.publish { _, _ in } == .rotated)
    }

    private func access(_ session: Session, at time: Instant, _ keys: IssuerKeys?) throws -> Secret {
        try issuer(keys).accessToken(
            for: session, generation: 0, tokenID: CloakroomCore.Environment.system.random(16), at: time,
            under: policy
        ).token
    }

    private func issuer(_ keys: IssuerKeys? = nil) -> TokenIssuer {
        let configuration = server.server.configuration
        return TokenIssuer(
            issuer: configuration.issuer, audience: configuration.audience ?? configuration.issuer,
            keys: LiveKeys(keys ?? server.keys))
    }

    private func otherKeys() throws -> IssuerKeys {
        try IssuerKeys(
            signing: [.init(key: SigningKey.generate(.es256), createdAt: server.now, signsFrom: server.now)],
            refresh: server.keys.refresh)
    }

    private func text(_ secret: Secret) -> String { String(decoding: secret.bytes, as: UTF8.self) }
}
