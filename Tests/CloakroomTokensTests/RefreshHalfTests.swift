import CloakroomCore
import Synchronization
import Testing

@testable import CloakroomTokens

/// Item 6: the refresh half of a cookie is judged alone, and by the issuer alone.
@Suite struct RefreshHalfTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    /// The issuer's keys without the stolen signing key; another key signs instead.
    private func removeSigningKey(marking: Bool = true) throws {
        let old = world.keys.current
        let other = IssuerKeys.SigningEntry(key: try SigningKey.generate(.es256), createdAt: now, signsFrom: now)
        world.replaceKeys(
            with: try IssuerKeys(
                signing: [other], refresh: old.refresh, removed: marking ? old.signing.map(\.key.id) : []))
    }

    @Test("an access half under a removed key proves nothing, and the refresh half beside it is still checked")
    func removedKey() throws {
        let (cookie, token) = (try world.cookie(), try world.access().token.bytes)
        guard case .live(_, let half) = try world.verifier.verify(cookie: cookie, at: now) else {
            return #expect(Bool(false))
        }
        try removeSigningKey()
        for time in [now, now + .minutes(10), now - .minutes(10)] {
            #expect(try world.verifier.verify(cookie: cookie, at: time) == .stale(.unverifiable, half))
            #expect(
                fault { try world.verifier.verify(bearer: token, at: time) } == .unknownKey,
                "a removed key gives no access")
        }
    }

    @Test("no claim of an access half under a removed key is used")
    func removedKeyClaims() throws {
        let thiefs = try world.sign(["sid": "other", "exp": .integer((now + .days(1)).seconds)])
        let refresh = try world.issuer.refreshToken(for: .example())
        try removeSigningKey()
        let checked = try world.verifier.verify(
            cookie: Array("\(String(decoding: thiefs, as: UTF8.self))~".utf8) + refresh.bytes, at: now)
        #expect(checked == .stale(.unverifiable, .init(bytes: refresh)) && checked.access == nil)
    }

    @Test("a cookie under an unknown key is a forgery, with and without removed keys")
    func strangersKey() throws {
        let cookie = try world.cookie()
        try removeSigningKey(marking: false)
        #expect(fault { try world.verifier.verify(cookie: cookie, at: now) } == .unknownKey)
    }

    @Test("two halves of different sessions are refused: live, expired or too early, and from the cache too")
    func differentSessions() throws {
        let access = String(decoding: try world.access(for: .example("other")).token.bytes, as: UTF8.self)
        let cookie = Array("\(access)~".utf8) + (try world.issuer.refreshToken(for: .example()).bytes)
        for time in [now, now + .minutes(10), now - .minutes(10), now] {
            #expect(fault { try world.verifier.verify(cookie: cookie, at: time) } == .differentSessions)
        }
    }

    @Test("the MAC of each cookie is checked once, at its first check, before the signature")
    func askedOnce() throws {
        let asked = Mutex(0)
        let keys = world.keys
        let verifier = TokenVerifier(
            issuer: TokenWorld.issuer, audience: TokenWorld.audience, policy: SessionPolicy(),
            keys: keys.current.verifierKeys, revocations: RevocationView(accessTokenLifetime: .minutes(5)),
            checkRefresh: { half throws(TokenFault) in
                asked.withLock { $0 += 1 }
                return try keys.current.read(refreshToken: half.bytes.bytes).session
            })
        let cookie = try world.cookie()
        for second in [0, 1, 300, 0] as [Int64] { _ = try verifier.verify(cookie: cookie, at: now + .seconds(second)) }
        #expect(asked.withLock { $0 } == 1)
        // The access token is malformed; the fault is that of the refresh token.
        #expect(
            fault { try verifier.verify(cookie: Array("x~a.b".utf8), at: now) } == .malformed("a token has three parts")
        )
        #expect(fault { try verifier.verify(cookie: cookie + Array("x".utf8), at: now) } == .badSignature)
        #expect(asked.withLock { $0 } == 3)
    }

    @Test(
        "a verifier without the issuer's check of the MAC refuses every cookie"
    )
    func publicKeysAlone() throws {
        let verifier = TokenVerifier(
            issuer: TokenWorld.issuer, audience: TokenWorld.audience, policy: SessionPolicy(),
            keys: world.keys.current.verifierKeys, revocations: RevocationView(accessTokenLifetime: .minutes(5)),
            checkRefresh: { _ throws(TokenFault) in throw .unknownKey })
        #expect(fault { try verifier.verify(cookie: world.cookie(), at: now) } == .unknownKey)
        #expect(fault { try verifier.verify(bearer: world.access().token.bytes, at: now) } == nil)
    }

    static let bearers: [(text: String, isOurs: Bool)] = [
        ("opaque-key-of-the-app", false), ("", false), ("a.b.c", false), (String(repeating: "x", count: 9000), false),
        (foreign(header: #"{"alg":"RS256","kid":"theirs"}"#, payload: #"{"iss":"https://login.example"}"#), false),
        (foreign(header: #"{"alg":"RS256","kid":"theirs"}"#, payload: #"{"iss":"https://issuer.example"}"#), true),
        (foreign(header: #"{"alg":"none"}"#, payload: #"{"iss":"https://issuer.example"}"#), true),
        (foreign(header: "{", payload: #"{"iss":"https://issuer.example"}"#), true),
        (foreign(header: #"{"alg":"RS256"}"#, payload: #"{"iss":"https://issuer.example/"}"#), false),
        (foreign(header: #"{"alg":"RS256"}"#, payload: #"{"iss":["https://issuer.example"]}"#), false),
    ]

    private static func foreign(header: String, payload: String) -> String {
        "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(payload.utf8))).c2ln"
    }

    @Test("a bearer with our issuer is ours and may be refused; any other is left to the app", arguments: bearers)
    func ours(_ row: (text: String, isOurs: Bool)) {
        #expect(world.verifier.isOurs(bearer: Array(row.text.utf8)) == row.isOurs)
    }

    @Test("a bearer with the kid of one of our keys is ours, with any claims and also if it no longer verifies")
    func ourKey() throws {
        var claims = try world.claims()
        claims["iss"] = "https://other.example"
        let token = try world.sign(claims)
        #expect(world.verifier.isOurs(bearer: token) && world.verifier.isOurs(bearer: token + [65]))
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .wrongIssuer)
        #expect(world.verifier.isOurs(bearer: try world.issuer.refreshToken(for: .example()).bytes) == false)
    }
}
