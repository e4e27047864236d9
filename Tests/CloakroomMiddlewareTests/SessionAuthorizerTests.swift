import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomMiddleware

@Suite struct SessionAuthorizerTests {
    private let world: AuthorizerWorld

    init() throws {
        world = try AuthorizerWorld()
    }

    /// The denial of `authorize`; nil if it succeeds.
    private func denial(_ credentials: RequestCredentials, demanding demand: StepUp? = nil) async throws -> Denial? {
        do {
            _ = try await world.authorizer.authorize(credentials, demanding: demand)
            return nil
        } catch let denial as Denial {
            return denial
        }
    }

    @Test("a live cookie is allowed without I/O, reported as seen once, and not renewed")
    func live() async throws {
        let credentials = world.credentials(cookies: try world.cookieValue())
        let access = try #require(world.authorizer.authorizeAtOnce(credentials, demanding: nil))
        let authorization = try await world.authorizer.authorize(credentials)
        #expect(authorization.access == access && authorization.presented == access && authorization.renewal == nil)
        #expect(world.events.values == ["saw 0", "saw 0"])
    }

    @Test("a request that needs I/O or is refused is not decided at once, and not reported as seen")
    func notAtOnce() throws {
        let cookie = try world.cookieValue()
        let ours = AuthorizerWorld.bearer(try world.access())
        func atOnce(_ credentials: RequestCredentials, _ demand: StepUp? = nil) -> Bool {
            world.authorizer.authorizeAtOnce(credentials, demanding: demand) != nil
        }
        #expect(!atOnce(world.credentials()))
        #expect(!atOnce(world.credentials(cookies: "x~y")))
        #expect(!atOnce(world.credentials(cookies: cookie), StepUp(minimumLevel: .multiFactor)))
        #expect(!atOnce(world.credentials(cookies: "~" + cookie.split(separator: "~")[1])))
        world.advance(.seconds(291))
        #expect(!atOnce(world.credentials(cookies: cookie)), "the access token is about to expire")
        world.advance(.seconds(9))
        #expect(!atOnce(world.credentials(cookies: cookie, authorization: [ours])), "expired")
        world.advanceInSilence(.seconds(6))
        #expect(!atOnce(world.credentials(cookies: try world.cookieValue())), "the feed is stale")
        #expect(world.events.values == [])
    }

    @Test(
        "our own bearer decides alone, even if expired and beside a good cookie; with a foreign one the cookie decides")
    func bearers() async throws {
        let expired = AuthorizerWorld.bearer(try world.access())
        world.advance(.minutes(6))
        let cookie = try world.cookieValue()
        let good = AuthorizerWorld.bearer(try world.access(world.session("other")))
        #expect(try await denial(world.credentials(cookies: cookie, authorization: [expired])) == .tokenExpired)
        #expect(try await denial(world.credentials(cookies: cookie, authorization: [good + "x"])) == .tokenInvalid)
        #expect(try await denial(world.credentials(cookies: cookie, authorization: [good, good])) == .tokenInvalid)
        for foreign in ["Bearer opaque", "Bearer", "bearer\topaque", "Basic dTpw", "Digest x", ""] {
            let credentials = world.credentials(cookies: cookie, authorization: [foreign])
            #expect(try await denial(credentials) == nil, "\(foreign)")
        }
        let both = world.credentials(cookies: cookie, authorization: [good])
        #expect(try await world.authorizer.authorize(both).access.session == SessionID("other"))
    }

    @Test(
        "without a cookie a foreign bearer is denied for its fault, and another scheme as session_missing")
    func foreignAlone() async throws {
        #expect(try await denial(world.credentials(authorization: ["Bearer opaque"])) == .tokenInvalid)
        #expect(try await denial(world.credentials(authorization: ["Basic dTpw"])) == .sessionMissing)
    }

    @Test("a stale feed is read once, and its revocations count")
    func lookUp() async throws {
        let credentials = world.credentials(cookies: try world.cookieValue())
        world.advanceInSilence(.seconds(6))
        #expect(try await denial(credentials) == nil)
        #expect(world.events.values == ["catch up", "saw 0"])
        #expect(world.authorizer.authorizeAtOnce(credentials, demanding: nil) != nil)
        world.verifier.revocations.insert(SessionID("session"), at: world.uptime)
        #expect(try await denial(credentials) == .sessionRevoked)
        world.advanceInSilence(.seconds(6))
        #expect(try await denial(credentials) == .sessionRevoked, "a known revocation counts with any age of the feed")
        #expect(world.events.values.filter { $0 == "catch up" }.count == 1)
    }

    @Test("if the feed cannot be read no request is allowed")
    func feedDown() async throws {
        let credentials = world.credentials(cookies: try world.cookieValue())
        world.advanceInSilence(.seconds(6))
        world.answerFeed(.failure(AuthorizerWorld.Failure()))
        await #expect(throws: AuthorizerWorld.Failure.self) { try await world.authorizer.authorize(credentials) }
        #expect(world.events.values == ["catch up"])
    }

    @Test("an expired access token is renewed: with new tokens or only served")
    func renewal() async throws {
        let cookie = try world.cookieValue()
        world.advance(.minutes(6))
        let tokens = try world.tokens()
        for renewal in [
            Renewal.renewed(tokens),
            .served(ServedAccess(access: tokens.access, delivery: .cookie, renewableIn: .seconds(30))),
        ] {
            world.answerRenewals(.success(renewal))
            let authorization = try await world.authorizer.authorize(world.credentials(cookies: cookie))
            #expect(authorization.access == tokens.access && authorization.renewal == renewal)
            #expect(authorization.presented?.expiresAt == AuthorizerWorld.start + .minutes(5))
            if case .renewed = renewal {
                #expect(authorization.renewed == tokens)
            } else {
                #expect(authorization.renewed == nil)
            }
        }
        #expect(world.events.values == ["renew", "renew"], "the renewal itself confirmed the generation")
    }

    @Test("a failed renewal gives its denial, and without a refresh token the denial is token_expired")
    func renewalFails() async throws {
        let stale = world.credentials(cookies: try staleCookie())
        for failure in [Denial.sessionRevoked, .refreshTokenReused, .unavailable(retryAfter: .seconds(1))] {
            world.answerRenewals(.failure(failure))
            #expect(try await denial(stale) == failure)
        }
        await #expect(throws: Denial.tokenExpired) {
            try await world.authorizer(canRenew: false).authorize(stale)
        }
    }

    /// A cookie whose access token expired a minute ago.
    private func staleCookie() throws -> String {
        let access = try world.issuer.accessToken(
            for: world.session(), generation: 0, tokenID: [1], at: world.now - .minutes(6), under: world.policy)
        return SessionTokens.join(access: access.token, refresh: try world.issuer.refreshToken(for: world.session()))
    }

    @Test("a demand is checked against the level after the renewal, not the one in the old token")
    func demandAfterRenewal() async throws {
        let stale = try staleCookie()
        let demand = StepUp(maximumAge: .seconds(60))
        world.answerRenewals(.success(.renewed(try world.tokens(world.session(authenticatedAt: world.now)))))
        #expect(try await denial(world.credentials(cookies: stale), demanding: demand) == nil)
        let old = world.session(authenticatedAt: world.now - .minutes(2))
        world.answerRenewals(.success(.renewed(try world.tokens(old))))
        let challenge = StepUpChallenge(maximumAge: .seconds(60), acceptedLevels: [])
        #expect(
            try await denial(world.credentials(cookies: stale), demanding: demand)
                == .insufficientUserAuthentication(challenge))
    }

    /// The error of an early renewal, and whether the unexpired access token still lets the request pass.
    static let earlyFailures: [(failure: any Error, opens: Bool)] = [
        (Denial.unavailable(retryAfter: .seconds(1)), true), (AuthorizerWorld.Failure(), true),
        (CancellationError(), true), (Denial.sessionRevoked, false), (Denial.refreshTokenReused, false),
        (Denial.sessionExpired, false), (Denial.tokenInvalid, false),
    ]

    @Test(
        "W22: an access token that is about to expire is renewed; while the store is down it still counts",
        arguments: earlyFailures)
    func early(_ row: (failure: any Error, opens: Bool)) async throws {
        let cookie = try world.cookieValue()
        world.advance(.seconds(291))
        world.answerRenewals(.failure(row.failure))
        let credentials = world.credentials(cookies: cookie)
        if row.opens {
            let authorization = try await world.authorizer.authorize(credentials)
            #expect(authorization.renewal == nil && authorization.access == authorization.presented)
            #expect(world.events.values == ["renew", "saw 0"])
        } else {
            #expect(try await denial(credentials) == row.failure as? Denial)
            #expect(world.events.values == ["renew"])
        }
    }

    @Test("a token for a backend is renewed from ten seconds before its end, and no earlier")
    func handOverMargin() async throws {
        let cookie = try world.cookieValue()
        world.answerRenewals(.success(.renewed(try world.tokens())))
        world.advance(.seconds(290))
        #expect(try await world.authorizer.authorize(world.credentials(cookies: cookie)).renewal == nil)
        world.advance(Span(milliseconds: 1))
        #expect(try await world.authorizer.authorize(world.credentials(cookies: cookie)).renewal != nil)
    }

    @Test("a bearer that is about to expire is accepted as it is: it cannot be renewed here")
    func earlyBearer() async throws {
        let bearer = AuthorizerWorld.bearer(try world.access())
        world.advance(.seconds(299))
        #expect(try await denial(world.credentials(authorization: [bearer])) == nil)
        #expect(world.events.values == ["saw 0"])
    }

    @Test("hybrid: the cookie alone is refused in front of an app, and renews at the server's own endpoints")
    func hybrid() async throws {
        let refresh = try world.issuer.refreshToken(for: world.session())
        let cookie = SessionTokens.join(access: nil, refresh: refresh)
        world.answerRenewals(.success(.renewed(try world.tokens())))
        let credentials = world.credentials(cookies: cookie)
        #expect(try await denial(credentials) == .tokenExpired)
        #expect(world.events.values == [])
        #expect(try await world.authorizer.authorize(credentials, admitsCookieAlone: true).renewal != nil)
    }

    @Test("C1 and C2: the clock is an hour ahead for a while, then correct again")
    func clockSteps() async throws {
        let right = world.now
        world.advance(.minutes(60))
        let ahead = try world.cookieValue()
        #expect(try await denial(world.credentials(cookies: ahead)) == nil)
        world.setWallClock(right)
        world.answerRenewals(.success(.renewed(try world.tokens())))
        let authorization = try await world.authorizer.authorize(world.credentials(cookies: ahead))
        #expect(authorization.renewed != nil, "no 401 for as long as the clock was ahead")
    }
}
