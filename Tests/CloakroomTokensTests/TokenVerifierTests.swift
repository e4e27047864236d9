import CloakroomCore
import Testing

@testable import CloakroomTokens

/// The check of a request with its caches: a cache hit must never accept more than the first verification.
@Suite struct TokenVerifierTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    private func verifier(_ keys: IssuerKeys) -> TokenVerifier {
        TokenWorld.verifier(LiveKeys(keys))
    }

    @Test("a cached verdict at each time equals that of a first check")
    func cacheAgrees() throws {
        let token = try world.access().token.bytes
        let cookie = try world.cookie()
        let warm = world.verifier
        for seconds in [0, 299, 300, 301, 100_000, 10, 0] as [Int64] {
            let time = now + .seconds(seconds)
            let cold = verifier(world.keys.current)
            for _ in 0..<2 {
                #expect(
                    fault { try warm.verify(bearer: token, at: time) }
                        == fault { try cold.verify(bearer: token, at: time) })
            }
            #expect(
                try warm.verify(cookie: cookie, at: time) == cold.verify(cookie: cookie, at: time))
        }
    }

    @Test(
        "the cache entry of a token that was just issued equals the result of verifying it, at any time",
        arguments: [0, 400] as [Int64])
    func rememberedWhenIssued(_ fraction: Int64) throws {
        let now = now + Span(milliseconds: fraction)
        let session = Session.example(authenticatedAt: now)
        let access = try world.issuer.accessToken(
            for: session, generation: 0, tokenID: [1, 2, 3], at: now, under: world.policy)
        let refresh = try world.issuer.refreshToken(for: session)
        let cookie = Array(SessionTokens.join(access: access.token, refresh: refresh).utf8)
        let (warm, cold) = (verifier(world.keys.current), verifier(world.keys.current))
        warm.remember(
            IssuedTokens(access: access, refresh: refresh, delivery: .cookie, maximumAge: nil), since: warm.keyEpoch)
        for seconds in [0, 1, 299, 300, 100_000] as [Int64] {
            let time = now + .seconds(seconds)
            #expect(try warm.verify(cookie: cookie, at: time) == cold.verify(cookie: cookie, at: time))
        }
    }

    @Test("tokens that were signed before the keys were replaced are not cached, nor those of other deliveries")
    func notRememberedAfterExchange() throws {
        let access = try world.access()
        let refresh = try world.issuer.refreshToken(for: .example())
        let cookie = Array(SessionTokens.join(access: access.token, refresh: refresh).utf8)
        // A verifier that accepts cookies from its cache only, and refuses every cookie that it must verify.
        for (delivery, exchanges, isRemembered) in [
            (Delivery.cookie, false, true), (.cookie, true, false), (.hybrid, false, false), (.body, false, false),
        ] {
            let verifier = TokenVerifier(
                issuer: TokenWorld.issuer, audience: TokenWorld.audience, policy: SessionPolicy(),
                keys: world.keys.current.verifierKeys,
                revocations: RevocationView(accessTokenLifetime: .minutes(5)),
                checkRefresh: { _ throws(TokenFault) in throw .badSignature })
            let epoch = verifier.keyEpoch
            if exchanges { verifier.replaceKeys(with: world.keys.current.verifierKeys) }
            verifier.remember(
                IssuedTokens(access: access, refresh: refresh, delivery: delivery, maximumAge: nil), since: epoch)
            #expect(
                ((try? verifier.verify(cookie: cookie, at: now)) != nil) == isRemembered, "\(delivery) \(exchanges)")
        }
    }

    @Test("when the access token expires a live cookie becomes stale, on a cache hit too, and keeps its refresh token")
    func liveTurnsStale() throws {
        let cookie = try world.cookie()
        guard case .live(let access, let refresh) = try world.verifier.verify(cookie: cookie, at: now) else {
            Issue.record("not live")
            return
        }
        let last = access.expiresAt - Span(milliseconds: 1)
        #expect(try world.verifier.verify(cookie: cookie, at: last) == .live(access, refresh))
        for time in [access.expiresAt, access.expiresAt + .days(80)] {
            #expect(
                try world.verifier.verify(cookie: cookie, at: time) == .stale(.expired(ExpiredAccess(access)), refresh))
        }
    }

    @Test("a refusal is not cached: the bad token is refused again, and a good one after it is accepted")
    func refusalsAreNotCached() throws {
        let token = try world.access().token.bytes
        let broken =
            token.dropLast() + [token[token.count - 1] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")]
        for _ in 0..<3 {
            #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: Array(broken), at: now) }
            #expect(try world.verifier.verify(bearer: token, at: now).session == SessionID("session"))
        }
    }

    @Test("a token that was refused as not yet valid is accepted when its time has come")
    func notYet() throws {
        let token = try world.access(at: now + .minutes(2)).token.bytes
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .notYetValid)
        #expect(fault { try world.verifier.verify(bearer: token, at: now + .minutes(2)) } == nil)
    }

    @Test(
        "a revocation counts on a cache hit too, and for a token with a malleated signature",
        arguments: [SignatureAlgorithm.es256, .ed25519, .rs256])
    func revocation(_ algorithm: SignatureAlgorithm) throws {
        let world = try TokenWorld(algorithm)
        let token = try world.access().token.bytes
        let access = try world.verifier.verify(bearer: token, at: now)
        #expect(!world.verifier.revocations.isRevoked(access.session))
        world.verifier.revocations.insert(access.session, at: TokenWorld.uptime)
        for _ in 0..<2 {
            let again = try world.verifier.verify(bearer: token, at: now)
            #expect(world.verifier.revocations.isRevoked(again.session))
        }
        let other = try world.verifier.verify(bearer: world.access(for: .example("other")).token.bytes, at: now)
        #expect(!world.verifier.revocations.isRevoked(other.session))
    }

    @Test("replacing the keys removes what the old ones verified; tokens of the new keys are accepted")
    func exchange() throws {
        let token = try world.access().token.bytes
        let cookie = try world.cookie()
        _ = try world.verifier.verify(bearer: token, at: now)
        _ = try world.verifier.verify(cookie: cookie, at: now)
        let old = world.keys.current
        let added = try IssuerKeys(
            signing: old.signing + [
                .init(key: SigningKey.generate(.ed25519), createdAt: now, signsFrom: now + .seconds(1))
            ],
            refresh: old.refresh)
        world.replaceKeys(with: added)
        #expect(
            fault { try world.verifier.verify(bearer: token, at: now) } == nil,
            "an additional key does not refuse the token")
        #expect(fault { try world.verifier.verify(cookie: cookie, at: now) } == nil)
        let later = now + .seconds(2)
        let newer = try world.access(at: later).token.bytes
        #expect(
            fault { try world.verifier.verify(bearer: newer, at: later) } == nil, "another algorithm at the same time")
        world.replaceKeys(with: try IssuerKeys(signing: Array(added.signing.suffix(1)), refresh: added.refresh))
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .unknownKey)
        #expect(fault { try world.verifier.verify(bearer: newer, at: later) } == nil)
    }

    @Test("cookies under a removed refresh secret are refused")
    func refreshSecretGone() throws {
        let cookie = try world.cookie()
        _ = try world.verifier.verify(cookie: cookie, at: now)
        world.replaceKeys(
            with: try IssuerKeys(
                signing: world.keys.current.signing,
                refresh: [.init(key: TokenWorld.refreshKey("r9", 9), createdAt: now)]))
        #expect(fault { try world.verifier.verify(cookie: cookie, at: now) } == .unknownKey)
    }

    @Test("an unknown kid finds no key, even if there is only one key")
    func unknownKey() throws {
        let stranger = try SigningKey.generate(.es256)
        let token = try stranger.sign(try world.claims(), type: "at+jwt")
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .unknownKey)
    }

    @Test("the MAC is checked first: a bad refresh half costs no signature verification")
    func order() throws {
        let access = String(decoding: try world.access().token.bytes, as: UTF8.self)
        let cookie = Array("\(access)~a.b.c".utf8)
        #expect(
            fault { try world.verifier.verify(cookie: cookie, at: now) }
                == .malformed("the header is not base64url, or too long"))
        let refresh = try world.issuer.refreshToken(for: .example())
        var forged = refresh.bytes
        forged[forged.count - 2] ^= 1
        let expired = Array("\(access)~".utf8) + forged
        #expect(throws: TokenFault.self) { try world.verifier.verify(cookie: expired, at: now + .days(1)) }
    }

    @Test("bearer tokens and cookies do not share cache entries: neither is accepted as the other")
    func separateCaches() throws {
        let token = try world.access().token.bytes
        let cookie = try world.cookie()
        _ = try world.verifier.verify(bearer: token, at: now)
        _ = try world.verifier.verify(cookie: cookie, at: now)
        #expect(throws: TokenFault.self) { try world.verifier.verify(cookie: token, at: now) }
        #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: cookie, at: now) }
    }

    @Test("many threads get the same verdict")
    func threads() async throws {
        let world = world
        let cookies = try (0..<20).map { try world.cookie(for: .example("session\($0)")) }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<200).count { round in
                        let index = (worker + round) % cookies.count
                        let checked = try? world.verifier.verify(cookie: cookies[index], at: TokenWorld.now)
                        return checked?.access?.session != SessionID("session\(index)")
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
