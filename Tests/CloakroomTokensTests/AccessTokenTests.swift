import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct AccessTokenTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    private func verdict(_ claims: JSONObject, type: String = "at+jwt", at now: Instant = TokenWorld.now) throws
        -> TokenFault?
    {
        let token = try world.sign(claims, type: type)
        return fault { try world.verifier.verify(bearer: token, at: now) }
    }

    private func with(_ name: String, _ value: JSONValue?) throws -> JSONObject {
        var claims = try world.claims()
        claims[name] = value
        return claims
    }

    @Test("an access token has the claims of RFC 9068 and of its session")
    func claims() throws {
        let claims = try world.claims()
        #expect(
            Set(claims.members.map(\.name)) == [
                "iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "gen", "auth_time", "acr", "amr",
            ])
        let access = try world.verifier.verify(bearer: world.access().token.bytes, at: now)
        #expect(access.session == SessionID("session") && access.subject == Subject("u_someone"))
        #expect(
            access.authentication == Evidence(.password, at: now).authentication && access.generation == 0
                && access.client == .browser)
    }

    @Test(
        "an access token is refused if a claim is missing or of a wrong type",
        arguments: ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "gen", "auth_time", "acr", "amr"])
    func eachClaim(_ name: String) throws {
        for value in [nil, .null, .bool(true), [:], .string(""), .number(1e300), .integer(-1), [1]] as [JSONValue?] {
            #expect(try verdict(with(name, value)) != nil, "\(name): \(String(describing: value))")
        }
    }

    @Test(
        "iss is exact",
        arguments: [
            "https://issuer.example/", "https://ISSUER.example", "http://issuer.example", "https://issuer.example.evil",
            "https://iss\u{443}er.example",
        ])
    func issuer(_ issuer: String) throws {
        #expect(try verdict(with("iss", .string(issuer))) == .wrongIssuer)
    }

    @Test("aud is our audience, alone or in a short list")
    func audience() throws {
        let ours = JSONValue.string(TokenWorld.audience)
        for good in [ours, [ours], ["x", ours]] as [JSONValue] { #expect(try verdict(with("aud", good)) == nil) }
        let many = JSONValue.array((0..<20).map { .string("a\($0)") } + [ours])
        for bad in [[], ["x"], [ours, 1], [[ours]], .string("https://api.example.evil"), many] as [JSONValue] {
            #expect(try verdict(with("aud", bad)) == .wrongAudience)
        }
    }

    @Test("typ is at+jwt and nothing else", arguments: ["JWT", "rt+jwt", "id+jwt", "AT+JWT"])
    func type(_ type: String) throws {
        #expect(try verdict(world.claims(), type: type) == .wrongType)
    }

    @Test("a token is valid until exp and no longer, from the cache too")
    func expiry() throws {
        let access = try world.access()
        for _ in 0..<2 {
            #expect(
                try world.verifier.verify(bearer: access.token.bytes, at: access.expiresAt - Span(milliseconds: 1))
                    == access)
            #expect(fault { try world.verifier.verify(bearer: access.token.bytes, at: access.expiresAt) } == .expired)
        }
    }

    @Test("a lifetime longer than the policy's is refused")
    func longLife() throws {
        #expect(try verdict(with("exp", .integer((now + .days(3650)).seconds))) == .lifetimeTooLong)
    }

    @Test("iat may be ahead by the allowed clock difference")
    func future() throws {
        #expect(try verdict(with("iat", .integer((now + .seconds(30)).seconds))) == nil)
        #expect(try verdict(with("iat", .integer((now + .seconds(31)).seconds))) == .notYetValid)
    }

    @Test("a lifetime of whole minutes gives whole seconds, a short one milliseconds")
    func seconds() throws {
        let later = now + Span(milliseconds: 789)
        let whole = try world.access(at: later)
        #expect(whole.issuedAt == now && whole.expiresAt == now + .minutes(5))
        let short = try TokenWorld(policy: SessionPolicy(accessTokenLifetime: Span(milliseconds: 1500)))
        #expect(try short.access(at: later).expiresAt == later + Span(milliseconds: 1500))
        #expect(
            try short.verifier.verify(bearer: short.access(at: later).token.bytes, at: later).expiresAt == later
                + Span(milliseconds: 1500))
    }

    @Test("a straggler's token has the generation and the level of the token that was presented")
    func stragglersLevel() throws {
        var session = Session.example(authenticatedAt: now - .days(1))
        let held = PresentedRefresh(generation: 0, issuedAt: now, key: "r1")
        let answer = session.stepUp(
            with: Evidence(.password, at: now), presenting: held, at: now, under: world.policy,
            signingWith: "r1")
        #expect(answer == .rotated && session.generation == 1)
        for (generation, authenticatedAt) in [(0, now - .days(1)), (1, now)] {
            let token = try world.issuer.accessToken(
                for: session, generation: generation, tokenID: [9], at: now, under: world.policy)
            let verified = try world.verifier.verify(bearer: token.token.bytes, at: now)
            #expect(verified == token)
            #expect(
                verified.generation == generation
                    && verified.authentication == Evidence(.password, at: authenticatedAt).authentication)
        }
    }

    @Test("cloakroom verify agrees with the server, and gives the reason of a refusal")
    func inspection() throws {
        let token = try world.access().token.bytes
        let keys = world.keySet
        func verdict(_ issuer: String?, _ audience: String?, _ type: String?, _ time: Instant) -> TokenFault? {
            fault {
                try TokenInspection(issuer: issuer, audience: audience, type: type).claims(
                    of: token, with: keys, at: time)
            }
        }
        #expect(verdict(TokenWorld.issuer, TokenWorld.audience, "at+jwt", now) == nil)
        #expect(verdict(nil, nil, nil, now) == nil)
        #expect(verdict("x", nil, nil, now) == .wrongIssuer)
        #expect(verdict(nil, "x", nil, now) == .wrongAudience)
        #expect(verdict(nil, nil, "JWT", now) == .wrongType)
        #expect(verdict(nil, nil, nil, now + .minutes(5)) == .expired)
        #expect(verdict(nil, nil, nil, now - .minutes(5)) == .notYetValid)
        let bare = try world.sign([:])
        #expect(
            fault {
                try TokenInspection(issuer: nil, audience: nil, type: "at+jwt").claims(of: bare, with: keys, at: now)
            } == .badClaim("exp"))
        #expect(
            fault { try TokenInspection(issuer: nil, audience: nil, type: nil).claims(of: bare, with: keys, at: now) }
                == nil)
    }

    @Test("every fault has a reason for the log; its code tells the client only whether the token has expired")
    func faults() {
        let faults: [TokenFault] = [
            .malformed("m"), .unknownKey, .wrongAlgorithm, .criticalHeader, .foreignKeyHeader, .badSignature,
            .wrongType,
            .wrongIssuer, .wrongAudience, .badClaim("c"), .notYetValid, .expired, .differentSessions,
        ]
        #expect(Set(faults.map(\.reason)).count == faults.count)
        #expect(faults.filter { $0.denial == .tokenExpired } == [.expired])
        #expect(faults.filter { $0.denial == .tokenInvalid }.count == faults.count - 1)
    }
}
