import CloakroomCore
import Testing

@testable import CloakroomTokens

/// Every claim of an access token, dropped, of a wrong kind, and at its edges; signed by the right key each time.
@Suite struct AccessClaimsTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    private func verdict(_ claims: JSONObject, at now: Instant = TokenWorld.now) throws -> TokenFault? {
        let token = try world.sign(claims)
        return fault { try world.verifier.verify(bearer: token, at: now) }
    }

    private func verdict(_ name: String, _ value: JSONValue?, at now: Instant = TokenWorld.now) throws -> TokenFault? {
        var claims = try world.claims()
        claims[name] = value
        return try verdict(claims, at: now)
    }

    static let required = ["sub", "client_id", "iat", "exp", "jti", "sid", "gen", "auth_time", "acr", "amr"]

    @Test("the reason names the missing claim", arguments: required)
    func missing(_ name: String) throws {
        #expect(try verdict(name, nil) == .badClaim(name))
        #expect(try verdict(name, .null) == .badClaim(name))
    }

    @Test("iss and aud are required")
    func missingParty() throws {
        #expect(try verdict("iss", nil) == .wrongIssuer && verdict("iss", .null) == .wrongIssuer)
        #expect(try verdict("aud", nil) == .wrongAudience && verdict("aud", .null) == .wrongAudience)
    }

    @Test("a string claim has 1 to 256 bytes", arguments: ["sub", "client_id", "jti", "sid"])
    func strings(_ name: String) throws {
        for bad in [1, .number(1.5), true, ["x"], [], [:], "", .string(String(repeating: "x", count: 257))]
            as [JSONValue]
        {
            #expect(try verdict(name, bad) == .badClaim(name))
        }
        #expect(
            try verdict(name, .string(String(repeating: "\u{E9}", count: 129))) == .badClaim(name), "bytes, not letters"
        )
        #expect(try verdict(name, .string(String(repeating: "x", count: 256))) == nil)
    }

    @Test("a date is a number of seconds between 1970 and 9999", arguments: ["iat", "exp", "auth_time"])
    func dates(_ name: String) throws {
        let bad: [JSONValue] = [
            .string("\(now.seconds)"), "", true, [], [.integer(now.seconds)], [:], -1, .number(-0.5), .number(1e300),
            .number(-1e300), .integer(253_402_300_800), .integer(.max), .integer(.min), .integer(1 << 53 + 1), "NaN",
        ]
        for value in bad { #expect(try verdict(name, value) == .badClaim(name), "\(value)") }
    }

    @Test("fractions of a second count to the millisecond")
    func fractions() throws {
        #expect(try verdict("iat", .number(Double(now.seconds) + 30.000)) == nil)
        #expect(try verdict("iat", .number(Double(now.seconds) + 30.001)) == .notYetValid)
        let exp = JSONValue.number(Double(now.seconds) + 1.25)
        #expect(try verdict("exp", exp, at: now + Span(milliseconds: 1249)) == nil)
        #expect(try verdict("exp", exp, at: now + Span(milliseconds: 1250)) == .expired)
        #expect(try verdict("auth_time", .number(0.5)) == nil && verdict("iat", .number(1.8e9)) == nil)
    }

    @Test(
        "a token that expired long ago is refused as expired",
        arguments: [0, 1, 1_799_999_999, 1_800_000_000])
    func expired(_ exp: Int64) throws {
        #expect(try verdict("exp", .integer(exp)) == .expired)
    }

    @Test("exp: valid in the last millisecond, expired in the next, without leeway")
    func expiry() throws {
        let exp = try #require(try world.claims()["exp"]?.integerValue)
        let end = Instant(milliseconds: exp * 1000)
        #expect(try verdict("jti", "a", at: end - Span(milliseconds: 1)) == nil)
        #expect(try verdict("jti", "b", at: end) == .expired)
    }

    @Test("a lifetime beyond the policy's and the allowed clock difference is refused, from the cache too")
    func longLife() throws {
        let most = now.seconds + 300 + 30
        #expect(try verdict("exp", .integer(most)) == nil)
        #expect(try verdict("exp", .number(Double(most) + 0.001)) == .lifetimeTooLong)
        #expect(try verdict("exp", .integer(most + 1)) == .lifetimeTooLong)
        #expect(try verdict("exp", .integer(now.seconds + 10 * 365 * 86400)) == .lifetimeTooLong)
        var claims = try world.claims()
        claims["exp"] = .integer(most)
        let token = try world.sign(claims)
        #expect(fault { try world.verifier.verify(bearer: token, at: now) } == nil)
        #expect(
            fault { try world.verifier.verify(bearer: token, at: now - .seconds(1)) } == .expired, "the clock went back"
        )
    }

    @Test("iat may be at most 30 seconds ahead, and as old as the longest lifetime")
    func issuedAt() throws {
        #expect(try verdict("iat", .integer(now.seconds + 30)) == nil)
        #expect(try verdict("iat", .integer(now.seconds + 31)) == .notYetValid)
        #expect(try verdict("iat", .integer(now.seconds + 86400)) == .notYetValid)
        let exp = try #require(try world.claims()["exp"]?.integerValue)
        #expect(try verdict("iat", .integer(exp - 330)) == nil)
        #expect(try verdict("iat", .integer(exp - 331)) == .lifetimeTooLong)
        #expect(try verdict("iat", 0) == .lifetimeTooLong)
    }

    @Test("a token that is not yet valid is not expired: it must not be renewed", arguments: [0, 1])
    func faultOrder(_ exp: Int64) throws {
        var claims = try world.claims()
        claims["iat"] = .integer(now.seconds + 1000)
        claims["exp"] = .integer(exp)
        #expect(try verdict(claims) == .notYetValid)
    }

    @Test("a generation is a whole number of 31 bits")
    func generation() throws {
        let bad: [JSONValue] = [
            "1", -1, .number(1.5), .number(1e2), .integer(Int64(Int32.max) + 1), .integer(.max), true, [1], [:],
        ]
        for value in bad { #expect(try verdict("gen", value) == .badClaim("gen"), "\(value)") }
        for good in [0, 1, .integer(Int64(Int32.max))] as [JSONValue] { #expect(try verdict("gen", good) == nil) }
    }

    @Test("acr is a known level, and amr a list of strings")
    func authentication() throws {
        for bad in ["0", "3", "", " 1", "1 ", "01", 1, true, ["1"], [:]] as [JSONValue] {
            #expect(try verdict("acr", bad) == .badClaim("acr"), "\(bad)")
        }
        for bad in ["pwd", [1], ["pwd", 1], ["pwd", .null], [["pwd"]], [:], 1, true] as [JSONValue] {
            #expect(try verdict("amr", bad) == .badClaim("amr"), "\(bad)")
        }
        #expect(try verdict("acr", "2") == nil && verdict("amr", ["hwk", "user"]) == nil && verdict("amr", []) == nil)
    }

    @Test("the times of lower levels are seconds after auth_time, weakest level first; a token without them is good")
    func lowerLevels() throws {
        for bad in [1, "1", [], ["1"], [-1], [.null], [1, 2, 3, 4], [34_560_001], ["1": 1]] as [JSONValue] {
            #expect(try verdict("auth_times", bad) == .badClaim("auth_times"), "\(bad)")
        }
        var claims = try world.claims()
        claims["acr"] = "phr"
        claims["auth_time"] = 1000
        claims["auth_times"] = [2000, 1000]
        let read = try world.verifier.verify(bearer: world.sign(claims), at: now).authentication
        #expect(read.time(of: .phishingResistant)?.seconds == 1000)
        #expect(read.time(of: .multiFactor)?.seconds == 2000 && read.time(of: .singleFactor)?.seconds == 3000)
        #expect(AuthenticationTimes.json(read.lowerLevels, after: read.time) == claims["auth_times"])
        #expect(try world.claims()["auth_times"] == nil)
    }

    @Test(
        "iss is compared byte by byte with the issuer",
        arguments: [
            "", "https://issuer.example/", "https://issuer.example ", " https://issuer.example",
            "HTTPS://issuer.example",
            "https://Issuer.example", "http://issuer.example", "https://issuer.example:443", "https://issuer.example.",
            "https://issuer.example.evil", "https://evil/https://issuer.example", "issuer.example",
            "https://issuer.exampl",
            "https://issuer.example\u{0}", "https://\u{456}ssuer.example", "https://issuer.example\u{200B}",
            "https://issuer.example\u{301}", "https://issuer\u{FF0E}example",
        ])
    func issuer(_ issuer: String) throws {
        #expect(try verdict("iss", .string(issuer)) == .wrongIssuer)
    }

    @Test("iss is a string, not an array or object with one")
    func issuerKinds() throws {
        let ours = JSONValue.string(TokenWorld.issuer)
        for bad in [[ours], .object(["iss": ours]), 1, true, []] as [JSONValue] {
            #expect(try verdict("iss", bad) == .wrongIssuer)
        }
    }

    @Test("aud is exactly the audience, alone or among at most sixteen strings")
    func audience() throws {
        let ours = JSONValue.string(TokenWorld.audience)
        let others = (0..<16).map { JSONValue.string("https://\($0).example") }
        for good in [ours, [ours], ["x", ours], [ours, ours], .array(others.dropLast() + [ours])] as [JSONValue] {
            #expect(try verdict("aud", good) == nil)
        }
        let bad: [JSONValue] = [
            "", [], [""], [[]], [ours, 1], [1, ours], [ours, .null], [ours, []], [[ours]], .object(["aud": ours]), 1,
            true,
            "https://api.example.evil", "https://api.exampl", "https://api.example/", "HTTPS://API.EXAMPLE",
            "https://api.example ",
            .string("\(TokenWorld.audience) https://other.example"), .string("\(TokenWorld.audience),x"),
            ["https://api.example.evil"], .array(others + [ours]), .array(others),
        ]
        for value in bad { #expect(try verdict("aud", value) == .wrongAudience, "\(value)") }
    }

    @Test("a token for one audience is refused by another")
    func audienceSwap() throws {
        let other = AccessTokenVerifier.remote(world.keySet, audience: "https://other.example")
        #expect(fault { try other.verify(world.access().token.bytes, at: now) } == .wrongAudience)
    }

    @Test("unknown claims are ignored, and duplicate claims are refused")
    func others() throws {
        #expect(try verdict("scope", "a b") == nil && verdict("x", [[[1]]]) == nil)
        var claims = try world.claims()
        claims.append("sub", "u_other")
        #expect(try verdict(claims) == .malformed("the payload is not strict JSON: a member name stands twice"))
        claims = try world.claims()
        claims.append("\u{65}xp", .integer(0))
        #expect(try verdict(claims) == .malformed("the payload is not strict JSON: a member name stands twice"))
    }

    @Test(
        "subjects that only look alike are different",
        arguments: ["u_Someone", "u_someone ", "u_someone\u{0}", "u_someone\u{202E}", "\u{FF55}_someone"])
    func subjects(_ subject: String) throws {
        var claims = try world.claims()
        claims["sub"] = .string(subject)
        let access = try world.verifier.verify(bearer: world.sign(claims), at: now)
        #expect(access.subject == Subject(subject) && access.subject != Subject("u_someone"))
    }

    @Test("typ is at+jwt, also with the registered prefix, and no other", arguments: ["at+jwt", "application/at+jwt"])
    func type(_ type: String) throws {
        #expect(fault { try world.verifier.verify(bearer: world.sign(world.claims(), type: type), at: now) } == nil)
        for other in [
            "", "JWT", "rt+jwt", "id_token", "dbsc+jwt", "logout+jwt", "secevent+jwt", "at+jwt ", "at+JWT",
            "at+jwt;v=1", "Application/at+jwt",
        ] {
            let token = try world.sign(world.claims(), type: other)
            #expect(fault { try world.verifier.verify(bearer: token, at: now) } == .wrongType, "\(other)")
        }
    }

    @Test(
        "a payload that is not a JSON object is refused",
        arguments: ["", "null", "[]", "1", "\"x\"", "{}{}", "x", "{\"a\":1}\n\u{0}"])
    func payload(_ payload: String) throws {
        let forge = try Forge(.es256)
        let verifier = AccessTokenVerifier.remote(forge.keys)
        let token = Array(try forge.token(header: forge.header(), payload: payload).utf8)
        guard case .malformed = fault({ try verifier.verify(token, at: now) }) else {
            Issue.record("\(payload) is read as claims")
            return
        }
    }

    @Test("every reason becomes one of two codes for the client")
    func oracle() throws {
        let verdicts = try [
            verdict("iss", "x"), verdict("aud", "x"), verdict("sid", nil), verdict("iat", .integer(now.seconds + 99)),
        ]
        for verdict in verdicts { #expect(verdict?.denial == .tokenInvalid) }
        #expect(try verdict("exp", 0)?.denial == .tokenExpired)
    }
}
