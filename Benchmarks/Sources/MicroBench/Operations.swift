import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import Foundation
import HTTPTypes

/// The parts of a check and of a renewal.
struct Operations {
    private let now = Environment.system.now()
    private let policy = SessionPolicy()
    private let session: Session
    private let keys: LiveKeys<IssuerKeys>
    private let issuer: TokenIssuer
    private let access: [UInt8]
    private let refresh: [UInt8]

    init() throws {
        let refreshKey = RefreshKey(id: "r", secret: Secret(Environment.system.random(32)))
        let key = try SigningKey.generate(.es256)
        keys = LiveKeys(
            try IssuerKeys(
                signing: [.init(key: key, createdAt: now, signsFrom: now)],
                refresh: [.init(key: refreshKey, createdAt: now)]
            ))
        session = Session(
            id: SessionID(Base64URL.encode(Environment.system.random(18))), subject: Subject("u_bench"),
            secret: Secret(Environment.system.random(32)), refreshKey: "r",
            details: Session.Details(
                client: .browser, remembered: true, userAgent: "Mozilla/5.0",
                address: "203.0.113.7", evidence: Evidence(.password, at: now)),
            at: now, under: policy)
        issuer = TokenIssuer(issuer: "http://localhost", audience: "http://localhost", keys: keys)
        access = try issuer.accessToken(
            for: session, generation: 0, tokenID: Environment.system.random(16), at: now, under: policy
        ).token.bytes
        refresh = try issuer.refreshToken(for: session).bytes
    }

    private var cookie: [UInt8] { access + [UInt8(ascii: "~")] + refresh }

    private func verifier() -> TokenVerifier {
        let revocations = RevocationView(accessTokenLifetime: policy.accessTokenLifetime)
        revocations.confirm(at: Environment.system.uptime(), now)
        let keys = keys
        return TokenVerifier(
            issuer: "http://localhost", audience: "http://localhost", policy: policy, keys: keys.current.verifierKeys,
            revocations: revocations,
            checkRefresh: { half throws(TokenFault) in try keys.current.read(refreshToken: half.bytes.bytes).session })
    }

    var all: [Operation] { get throws { try verifying + parsing + renewing } }

    private var verifying: [Operation] {
        get throws {
            let fresh = { self.verifier() }
            let warm = verifier()
            let (cookie, refresh, keys, now) = (cookie, refresh, keys.current, now)
            let bearer = try algorithms()
            return bearer + [
                Operation(name: "verify a refresh token (HS256)") { _ = try keys.read(refreshToken: refresh) },
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
            let issuerKeys = LiveKeys(
                try IssuerKeys(
                    signing: [.init(key: key, createdAt: now, signsFrom: now)],
                    refresh: [.init(key: RefreshKey(id: "r", secret: session.secret), createdAt: now)]))
            let issuer = TokenIssuer(issuer: "http://localhost", audience: "http://localhost", keys: issuerKeys)
            let token = try issuer.accessToken(
                for: session, generation: 0, tokenID: Environment.system.random(16), at: now, under: policy
            ).token.bytes
            let keys = issuerKeys.current.verifierKeys.keySet
            return Operation(name: "verify an access token (\(algorithm.rawValue))") {
                _ = try VerifiedJWS.verify(token, with: keys).claims()
            }
        }
    }

    private var parsing: [Operation] {
        let cookie = SessionCookie()
        let value = "theme=dark; \(cookie.name)=\(String(decoding: self.cookie, as: UTF8.self)); lang=de"
        let headers: HTTPFields = [.cookie: value]
        let authorizer = authorizer()
        return [
            Operation(name: "find the session cookie in a Cookie header") { _ = cookie.values(in: headers) },
            Operation(name: "decide a check from memory") {
                guard authorizer.authorizeAtOnce(authorizer.credentials(headers, to: .login), demanding: nil) != nil
                else {
                    throw Refused()
                }
            },
        ]
    }

    private struct Refused: Error {}

    /// An authorizer as in a server, but without a store and a feed.
    private func authorizer() -> SessionAuthorizer {
        let now = now
        let uptime = Environment.system.uptime()
        return SessionAuthorizer(
            verifier: verifier(), cookie: SessionCookie(), policy: policy, now: { now }, uptime: { uptime }, renew: nil,
            saw: { _ in }, catchUp: {})
    }

    private var renewing: [Operation] {
        get throws {
            let (session, now, policy, issuer) = (session, now, policy, issuer)
            let presented = PresentedRefresh(generation: 0, issuedAt: now, key: "r")
            let document = Array(try JSONEncoder().encode(session.details))
            return [
                Operation(name: "read the document of a session") {
                    _ = try DocumentDecoder.decode(Session.Details.self, from: document)
                },
                Operation(name: "decide a renewal") {
                    var session = session
                    _ = session.refresh(presenting: presented, at: now, under: policy, signingWith: "r")
                },
                Operation(name: "sign an access token (ES256)") {
                    _ = try issuer.accessToken(
                        for: session, generation: 0, tokenID: [UInt8](repeating: 7, count: 16), at: now, under: policy)
                },
                Operation(name: "make a refresh token (HS256)") { _ = try issuer.refreshToken(for: session) },
            ]
        }
    }
}
