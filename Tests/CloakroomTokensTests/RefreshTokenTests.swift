import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct RefreshTokenTests {
    private let world: TokenWorld
    private let policy = SessionPolicy()

    init() throws {
        world = try TokenWorld()
    }

    private func verify(_ token: Secret) throws -> RefreshToken {
        try world.keys.current.read(refreshToken: token.bytes)
    }

    private func rotated(_ session: Session) -> Session {
        var session = session
        let presented = PresentedRefresh(generation: session.generation, issuedAt: session.rotatedAt, key: "r1")
        _ = session.refresh(presenting: presented, at: TokenWorld.now + .seconds(9), under: policy, signingWith: "r1")
        return session
    }

    @Test("the same generation always has the same bytes, and the next one has others")
    func deterministic() throws {
        let session = Session.example()
        #expect(try world.issuer.refreshToken(for: session) == world.issuer.refreshToken(for: session))
        #expect(try world.issuer.refreshToken(for: session) != world.issuer.refreshToken(for: rotated(session)))
    }

    @Test("a refresh token has its session and generation, and is genuine for that session")
    func genuine() throws {
        let session = rotated(.example())
        let token = try verify(world.issuer.refreshToken(for: session))
        #expect(token.session == session.id && token.presented.generation == 1 && token.presented.key == "r1")
        #expect(token.presented.issuedAt == TokenWorld.now + .seconds(9))
        #expect(token.isGenuine(for: session, under: world.keys.current))
        #expect(token.isGenuine(for: rotated(session), under: world.keys.current), "a spent one is genuine too")
    }

    @Test("the keys without the database forge nothing")
    func withoutDatabase() throws {
        let forged = try verify(world.issuer.refreshToken(for: .example(secret: 99)))
        #expect(!forged.isGenuine(for: .example(), under: world.keys.current))
    }

    @Test("the database without the keys forges nothing")
    func withoutKeys() throws {
        let thief = TokenIssuer(
            issuer: TokenWorld.issuer, audience: TokenWorld.audience,
            keys: LiveKeys(try TokenWorld.issuerKeys(.es256, secret: 8)))
        let forged = try thief.refreshToken(for: .example())
        #expect(fault { try verify(forged) } == .badSignature)
    }

    @Test("tokens of other kinds are not refresh tokens, and a refresh token is not an access token")
    func kinds() throws {
        let access = try world.access().token
        #expect(fault { try verify(access) } == .unknownKey)
        let refresh = try world.issuer.refreshToken(for: .example())
        #expect(fault { try world.verifier.verify(bearer: refresh.bytes, at: TokenWorld.now) } == .unknownKey)
    }

    @Test("a new refresh secret signs the next generation, and the old one still verifies")
    func rotation() throws {
        let old = try world.issuer.refreshToken(for: .example())
        let keys = world.keys.current
        let newer = try IssuerKeys(
            signing: keys.signing,
            refresh: keys.refresh + [
                .init(key: TokenWorld.refreshKey("r2", 9), createdAt: TokenWorld.now + .seconds(1))
            ])
        world.replaceKeys(with: newer)
        #expect(newer.refreshKey(at: TokenWorld.now).id == "r1")
        #expect(newer.refreshKey(at: TokenWorld.now + .seconds(1)).id == "r2")
        #expect(try verify(old).isGenuine(for: .example(), under: newer))
        #expect(try world.issuer.refreshToken(for: .example()) == old)
    }

    @Test("a generation whose secret was removed cannot be issued, and its tokens are not genuine")
    func lostSecret() throws {
        let old = try verify(world.issuer.refreshToken(for: .example()))
        let other = try IssuerKeys(
            signing: world.keys.current.signing,
            refresh: [.init(key: TokenWorld.refreshKey("r9", 9), createdAt: TokenWorld.now)])
        world.replaceKeys(with: other)
        #expect(throws: IssuerKeys.Refusal.self) { try world.issuer.refreshToken(for: .example()) }
        #expect(!old.isGenuine(for: .example(), under: other))
    }
}

@Suite struct SessionTokensTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    private func verdict(_ text: String, at now: Instant = TokenWorld.now) -> Result<SessionTokens.Checked, TokenFault>
    {
        Result { () throws(TokenFault) in try world.verifier.verify(cookie: Array(text.utf8), at: now) }
    }

    @Test("a cookie is live until its access token expires, then stale, from the cache too")
    func ages() throws {
        let cookie = String(decoding: try world.cookie(), as: UTF8.self)
        for _ in 0..<2 {
            guard case .live(let access, let refresh) = try verdict(cookie).get() else { return #expect(Bool(false)) }
            #expect(try access.session == world.keys.current.read(refreshToken: refresh.bytes.bytes).session)
            guard case .stale(.expired(let expired), refresh) = try verdict(cookie, at: now + .minutes(5)).get() else {
                return #expect(Bool(false))
            }
            #expect(expired.access == access)
        }
    }

    @Test("a hybrid cookie has no access token")
    func hybrid() throws {
        let refresh = try world.issuer.refreshToken(for: .example())
        let cookie = SessionTokens.join(access: nil, refresh: refresh)
        #expect(cookie.hasPrefix("~"))
        for _ in 0..<2 {
            let checked = try verdict(cookie).get()
            guard case .stale(.absent, let half) = checked else { return #expect(Bool(false)) }
            #expect(half.bytes == refresh && checked.access == nil)
        }
    }

    @Test("tokens of two sessions are both refused, also if the access token has expired")
    func swapped() throws {
        let access = try world.access(for: .example("other")).token
        let cookie = SessionTokens.join(access: access, refresh: try world.issuer.refreshToken(for: .example()))
        #expect(throws: TokenFault.differentSessions) { try verdict(cookie).get() }
        #expect(throws: TokenFault.differentSessions) { try verdict(cookie, at: now + .minutes(10)).get() }
    }

    @Test("malformed refresh tokens are refused")
    func rubbish() throws {
        let access = String(decoding: try world.access().token.bytes, as: UTF8.self)
        let refresh = String(decoding: try world.issuer.refreshToken(for: .example()).bytes, as: UTF8.self)
        let forged = try TokenWorld().access().token
        for text in [
            "", "~", "~~", access, refresh, "\(access)~", "\(refresh)~\(access)", "\(access)~\(refresh)~",
            "\(access)~~\(refresh)",
            "\(access) ~\(refresh)", "\"\(access)~\(refresh)\"", "x~\(refresh)",
            "\(String(decoding: forged.bytes, as: UTF8.self))~\(refresh)",
            "\(access)~\(access)", "\(refresh)~\(refresh)", String(repeating: "a", count: 100_000),
        ] { #expect((try? verdict(text).get()) == nil, "\(text.prefix(30))") }
    }

    @Test(
        "the whole Set-Cookie header has under 2,048 bytes with the longest values, and 512 more with RSA or status lists",
        arguments: SignatureAlgorithm.signing, [false, true])
    func size(_ algorithm: SignatureAlgorithm, _ hasStatusLists: Bool) throws {
        let longest = String(repeating: "x", count: 128)
        let lists = StatusListService(prefix: longest + "/auth/status-lists/", ttl: 15)
        let world = try TokenWorld(
            algorithm, issuer: longest, audience: longest, claimNames: ["roles", "tenant"],
            statusLists: hasStatusLists ? lists : nil)
        let methods = ["a", "b", "c"].map { String(repeating: $0, count: 8) }
        var evidence = Evidence(asserting: methods, level: .phishingResistant, at: TokenWorld.now)
        // Weaker logins since: each level then has a time of its own.
        for (level, age) in [(AuthenticationLevel.multiFactor, 30_000_000), (.singleFactor, 34_000_000)] {
            evidence.add(Evidence(asserting: methods, level: level, at: TokenWorld.now + .seconds(Int64(age))))
        }
        var session = Session.example(
            "0123456789abcdef0123AP__", client: ClientID(String(repeating: "c", count: 64)),
            subject: Subject(String(repeating: "s", count: 64)),
            evidence: evidence)
        session.claims = try Claims([
            "roles": .array(Array(repeating: .string(longest), count: 3)),
            "tenant": .string(String(repeating: "x", count: 96)),
        ])
        let presented = PresentedRefresh(generation: Int(Int32.max), issuedAt: TokenWorld.now, key: "r1")
        _ = session.refresh(presenting: presented, at: TokenWorld.now, under: SessionPolicy(), signingWith: "r1")
        let value = String(decoding: try world.cookie(for: session), as: UTF8.self)
        let header =
            "Set-Cookie: __Host-Http-session=\(value); Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=34560000\r\n"
        // An RSA signature alone has 342 characters. Browsers keep cookies of up to 4,096 bytes.
        let limit = 2048 + (algorithm == .rs256 ? 512 : 0) + (hasStatusLists ? 512 : 0)
        #expect(header.utf8.count < limit, "\(header.utf8.count)")
    }
}
