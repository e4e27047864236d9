import CloakroomCore
import CloakroomTesting
import Hummingbird
import HummingbirdTesting
import Testing

@testable import CloakroomResourceServer
@testable import CloakroomTokens

@Suite struct KeySetFeedTests {
    @Test("before the first key set a request with a token gets 503, and one without is served as always")
    func beforeTheFirstKeySet() async throws {
        try await ResourceWorld.run(fault: .hang) { world in
            let answer = try await world.get("/me", "Bearer \(world.token())")
            #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
            #expect(ResourceWorld.code(answer) == "unavailable")
            #expect(try await world.get("/public").status == .ok)
            let missing = try await world.get("/me")
            #expect(missing.status == .unauthorized && ResourceWorld.code(missing) == "session_missing")
            world.issuer.fault = nil
            try await world.waitForKeys()
            #expect(try await String(buffer: world.get("/me", "Bearer \(world.token())").body) == "u_ann s1")
        }
    }

    @Test("an app that starts while the issuer is away fetches the keys as soon as it is back")
    func startsWithoutIssuer() async throws {
        try await ResourceWorld.run(fault: .error) { world in
            try await waitUntil { world.issuer.fetches > 2 }
            #expect(try await world.answer(world.token()) == "503 unavailable")
            world.issuer.fault = nil
            try await world.waitForKeys()
            #expect(try await world.answer(world.token()) == "200")
            #expect(world.errors.count == 1)
        }
    }

    @Test("a token that is not for this app is refused")
    func refusesOtherTokens() async throws {
        try await ResourceWorld.run { world in
            try await world.waitForKeys()
            let now = ResourceWorld.start.seconds
            let good = try world.token()
            let rows: [(String, String)] = [
                (good, "200"),
                (try world.token(["aud": [.string(TestIssuer.audience), "https://other.example"]]), "200"),
                (try world.token(["iss": "https://other.example"]), "401 token_invalid"),
                (try world.token(["iss": .string(TestIssuer.name + "/")]), "401 token_invalid"),
                (try world.token(["aud": "https://other.example"]), "401 token_invalid"),
                (try world.token(["aud": .null]), "401 token_invalid"),
                (try world.token(type: "JWT"), "401 token_invalid"),
                (try world.token(type: "rt+jwt"), "401 token_invalid"),
                (try world.token(["sub": .null]), "401 token_invalid"),
                (try world.token(["exp": .integer(now)]), "401 token_expired"),
                (try world.token(["exp": .integer(now + 3600 + 31)]), "401 token_expired"),
                (try world.token(["iat": .integer(now + 31)]), "401 token_invalid"),
                (String(good.dropLast()), "401 token_invalid"),
                (good + "~refresh", "401 token_invalid"),
                ("opaque", "401 token_invalid"),
                ("", "401 token_invalid"),
            ]
            for (token, expected) in rows { #expect(try await world.answer(token) == expected, "\(token)") }
            #expect(try await world.get("/me", "Bearer \(good)", "Bearer \(good)").status == .unauthorized)
            #expect(try await ResourceWorld.code(world.get("/me", "Basic YTpi")) == "session_missing")
            #expect(world.log.lines.contains { $0.contains("see the parameters of ResourceServer") })
        }
    }

    @Test(
        "a token of another host is refused, by default of every one but the login host",
        arguments: [(nil, [true, false, false]), ("shop.example", [false, true, false]), ("*", [true, true, true])])
    func hosts(_ host: String?, _ accepted: [Bool]) async throws {
        try await ResourceWorld.run(host: host) { world in
            try await world.waitForKeys()
            let claims: [JSONValue?] = [nil, "shop.example", "app.example"]
            for (claim, isAccepted) in zip(claims, accepted) {
                let token = try world.token(claim.map { ["cloakroom:host": $0] } ?? [:])
                #expect(try await world.answer(token) == (isAccepted ? "200" : "401 token_invalid"))
            }
            #expect(try await world.answer(world.token(["cloakroom:host": 1])) == "401 token_invalid")
        }
    }

    @Test("a session cookie is not read")
    func ignoresCookies() async throws {
        try await ResourceWorld.run { world in
            try await world.waitForKeys()
            let answer = try await world.client.execute(
                uri: "/me", method: .get, headers: [.cookie: "__Host-Http-session=\(world.token())~x"])
            #expect(ResourceWorld.code(answer) == "session_missing")
        }
    }

    @Test("a route demands a fresh authentication")
    func stepUp() async throws {
        try await ResourceWorld.run { world in
            try await world.waitForKeys()
            let token = try world.token()
            #expect(try await world.get("/money", "Bearer \(token)").status == .ok)
            world.clocks.advance(.seconds(61))
            let answer = try await world.get("/money", "Bearer \(token)")
            #expect(ResourceWorld.code(answer) == "insufficient_user_authentication")
            #expect(answer.headers[.wwwAuthenticate]?.contains(#"max_age="60""#) == true)
            #expect(try await world.answer(token) == "200")
        }
    }

    @Test("after a rotation parallel requests with the new key cause one fetch, and the old key still works")
    func rotation() async throws {
        try await ResourceWorld.run { world in
            try await world.waitForKeys()
            let old = try world.token()
            world.issuer.rotate(try SigningKey.generate(.es256))
            let (new, fetches) = (try world.token(), world.issuer.fetches)
            world.clocks.advance(.seconds(1))
            #expect(try await Self.answers(world, [String](repeating: new, count: 16)) == ["200"])
            #expect(world.issuer.fetches == fetches + 1)
            #expect(try await world.answer(old) == "200")
        }
    }

    @Test("a flood of unknown keys causes one fetch a second, and does not disturb good tokens")
    func flood() async throws {
        try await ResourceWorld.run { world in
            try await world.waitForKeys()
            let good = try world.token()
            let thief = try SigningKey.generate(.es256)
            let flood = try (0..<200).map { try world.token(by: thief, ["jti": .string("\($0)")]) }
            for second in 0..<3 {
                let fetches = world.issuer.fetches
                #expect(try await Self.answers(world, flood + [good]) == ["401 token_invalid", "200"])
                #expect(world.issuer.fetches == fetches + (second == 0 ? 0 : 1))
                world.clocks.advance(.seconds(1))
            }
        }
    }

    private static func answers(_ world: ResourceWorld, _ tokens: [String]) async throws -> Set<String> {
        try await withThrowingTaskGroup(of: String.self) { group in
            for token in tokens { group.addTask { try await world.answer(token) } }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
    }

    @Test(
        "the last good key set stays when the issuer answers nonsense or nothing", arguments: TestIssuer.Fault.allCases)
    func outage(_ fault: TestIssuer.Fault) async throws {
        // A slow machine may need several tries to fetch the first set within so short a time.
        let isSlow = fault == .hang || fault == .trickle
        try await ResourceWorld.run({ if isSlow { $0.timeout = .milliseconds(50) } }) { world in
            try await world.waitForKeys()
            let good = try world.token()
            world.issuer.fault = fault
            let next = try SigningKey.generate(.es256)
            world.issuer.rotate(next)
            let unknown = try world.token()
            let errors = world.errors.count
            for _ in 0..<3 {
                world.clocks.advance(.seconds(1))
                #expect(try await world.answer(unknown) == "401 token_invalid")
                #expect(try await world.answer(good) == "200")
            }
            #expect(world.errors.count == errors + 1, "\(world.errors)")
            world.issuer.fault = nil
            try await waitUntil {
                world.clocks.advance(.seconds(1))
                return try await world.answer(world.token()) == "200"
            }
            #expect(world.log.lines.contains { $0.hasPrefix("notice the key set of the issuer is read again") })
        }
    }

    @Test("a request with a known key does not wait for a fetch")
    func knownKeysDoNotWait() async throws {
        try await ResourceWorld.run { world in
            try await world.waitForKeys()
            let (good, fetches) = (try world.token(), world.issuer.fetches)
            let unknown = try world.token(by: try SigningKey.generate(.es256))
            world.issuer.fault = .hang
            world.clocks.advance(.seconds(1))
            async let waiting = world.answer(unknown)
            try await waitUntil { world.issuer.fetches > fetches }
            #expect(try await world.answer(good) == "200")
            world.issuer.fault = nil
            #expect(try await waiting == "401 token_invalid")
        }
    }

    @Test("the key set is fetched again in intervals, and a removed key is refused")
    func removedKey() async throws {
        try await ResourceWorld.run({ $0.refresh = .milliseconds(1) }) { world in
            try await world.waitForKeys()
            let old = try world.token()
            #expect(try await world.answer(old) == "200")
            world.issuer.rotate(try SigningKey.generate(.es256), keepsOld: false)
            try await waitUntil { try await world.answer(old) == "401 token_invalid" }
            #expect(try await world.answer(world.token()) == "200")
        }
    }
}
