import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomService
import CloakroomTokens
import HTTPTypes
import NIOHTTP1

/// What a check and a renewal are made of.
struct Operations {
    private let now = Environment.system.now()
    private let policy = SessionPolicy()
    private let session: Session
    private let ring: LiveKeyRing
    private let issuer: TokenIssuer
    private let access: [UInt8]
    private let refresh: [UInt8]

    init() throws {
        let refreshKey = RefreshKey(id: "r", secret: Secret(Environment.system.random(32)))
        let key = try SigningKey.generate(.es256)
        ring = LiveKeyRing(
            try KeyRing(
                signing: [.init(key: key, createdAt: now, signsFrom: now)],
                refresh: [.init(key: refreshKey, createdAt: now)]
            ))
        session = Session(
            id: SessionID(Base64URL.encode(Environment.system.random(18))), subject: Subject("u_bench"),
            client: .browser,
            secret: Secret(Environment.system.random(32)), refreshKey: "r", remembered: true, userAgent: "Mozilla/5.0",
            address: "203.0.113.7", authentication: .password(at: now), at: now, under: policy)
        issuer = TokenIssuer(issuer: "http://localhost", audience: "http://localhost", ring: ring)
        access = try issuer.accessToken(for: session, tokenID: Environment.system.random(16), at: now, under: policy)
            .token.bytes
        refresh = try issuer.refreshToken(for: session).bytes
    }

    private var cookie: [UInt8] { access + [UInt8(ascii: "~")] + refresh }

    private func verifier() -> TokenVerifier {
        let revocations = RevocationView(accessTokenLifetime: policy.accessTokenLifetime)
        revocations.confirm(at: now)
        return TokenVerifier(
            issuer: "http://localhost", audience: "http://localhost", policy: policy, ring: ring,
            revocations: revocations)
    }

    var all: [Operation] { get throws { try verifying + parsing + renewing } }

    private var verifying: [Operation] {
        get throws {
            let fresh = { self.verifier() }
            let warm = verifier()
            let (cookie, refresh, now) = (cookie, refresh, now)
            let bearer = try algorithms()
            return bearer + [
                Operation(name: "verify a refresh token (HS256)") { _ = try warm.verify(refreshToken: refresh) },
                Operation(name: "verify a cookie, first sight (HS256 and ES256)") {
                    _ = try fresh().verify(cookie: cookie, at: now)
                },
                Operation(name: "verify a cookie, from the cache") { _ = try warm.verify(cookie: cookie, at: now) },
            ]
        }
    }

    /// The same claims under each algorithm that signs access tokens.
    private func algorithms() throws -> [Operation] {
        try [SignatureAlgorithm.es256, .ed25519, .rs256].map { algorithm in
            let key = try SigningKey.generate(algorithm)
            let ring = LiveKeyRing(
                try KeyRing(
                    signing: [.init(key: key, createdAt: now, signsFrom: now)],
                    refresh: [.init(key: RefreshKey(id: "r", secret: session.secret), createdAt: now)]))
            let issuer = TokenIssuer(issuer: "http://localhost", audience: "http://localhost", ring: ring)
            let token = try issuer.accessToken(
                for: session, tokenID: Environment.system.random(16), at: now, under: policy
            ).token.bytes
            let keys = ring.current.accessKeys
            return Operation(name: "verify an access token (\(algorithm.rawValue))") {
                _ = try VerifiedJWS.verify(token, with: keys).claims()
            }
        }
    }

    private var parsing: [Operation] {
        let cookie = SessionCookie()
        let value = String(decoding: self.cookie, as: UTF8.self)
        let headers: HTTPFields = [.cookie: "theme=dark; \(SessionCookie.name)=\(value); lang=de"]
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/auth/check")
        for (name, value) in [
            ("Host", "app.example.com"), ("Cookie", "\(SessionCookie.name)=\(value)"),
            ("X-Original-URI", "/api/items/42"),
            ("X-Original-Method", "GET"), ("X-Forwarded-For", "203.0.113.7"), ("Accept", "*/*"),
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0"),
        ] { head.headers.add(name: name, value: value) }
        var scratch: [UInt8] = []
        let peer = Array("127.0.0.1".utf8)
        return [
            Operation(name: "find the session cookie in a Cookie header") { _ = cookie.values(in: headers) },
            Operation(name: "recognise a question to /auth/check") {
                _ = CheckQuestion(head, peer: peer, session: cookie, scratch: &scratch)
            },
        ]
    }

    private var renewing: [Operation] {
        let (session, now, policy, issuer) = (session, now, policy, issuer)
        let presented = PresentedRefresh(generation: 0, issuedAt: now, key: "r")
        return [
            Operation(name: "decide a renewal") {
                var session = session
                _ = session.refresh(presenting: presented, at: now, under: policy, signingWith: "r")
            },
            Operation(name: "sign an access token (ES256)") {
                _ = try issuer.accessToken(
                    for: session, tokenID: [UInt8](repeating: 7, count: 16), at: now, under: policy)
            },
            Operation(name: "make a refresh token (HS256)") { _ = try issuer.refreshToken(for: session) },
        ]
    }
}
