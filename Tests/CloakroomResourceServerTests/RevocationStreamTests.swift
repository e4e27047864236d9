import CloakroomCore
import CloakroomTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import CloakroomResourceServer
@testable import CloakroomTokens

@Suite struct RevocationStreamTests {
    private static let revoked = "event: revoked\nid: 1-7\ndata: {\"session\":\"s1\",\"time\":1800000000}\n\n"
    private static let live = current(age: 0)

    /// - Parameter elapsed: by default later than any request, so that nothing has held the news back.
    private static func current(age: Double, elapsed: Double = 1_000_000) -> String {
        ": live\n\nevent: current\ndata: {\"age\":\(age),\"elapsed\":\(elapsed)}\n\n"
    }

    /// Runs `test` with an app that has the key set, and with an open stream that has had nothing yet.
    private func run(
        trustsWhenStale: Bool = false, _ configure: (inout Timing) -> Void = { _ in },
        _ test: @escaping @Sendable (ResourceWorld) async throws -> Void
    ) async throws {
        try await ResourceWorld.run(
            stream: { .init(privateListener: $0, key: "crk_key", insecureTrustsTokensWhenStale: trustsWhenStale) },
            configure
        ) { world in
            try await waitUntil { world.issuer.fetches > 0 && !world.issuer.streamRequests.isEmpty }
            try await test(world)
        }
    }

    private func wait(_ world: ResourceWorld, _ expected: String, for token: String) async throws {
        try await waitUntil { try await world.answer(token) == expected }
    }

    @Test("a request is refused with 503 until the stream was read, and a revoked session from then on")
    func revocation() async throws {
        try await run { world in
            let (revoked, other) = (try world.token(), try world.token(["sid": "s2"]))
            #expect(try await world.answer(revoked) == "503 unavailable")
            world.issuer.write(Self.live)
            try await wait(world, "200", for: revoked)
            world.issuer.write(Self.revoked)
            try await wait(world, "401 session_revoked", for: revoked)
            #expect(try await world.answer(other) == "200")
            #expect(world.issuer.streamRequests[0][.authorization] == "Bearer crk_key")
        }
    }

    @Test("tokens from before a change of the subject's claims count as expired")
    func staleClaims() async throws {
        try await run { world in
            let token = try world.token()
            world.issuer.write("event: stale\ndata: {\"subject\":\"u_ann\",\"time\":1800000000.5}\n\n" + Self.live)
            try await wait(world, "401 token_expired", for: token)
            world.clocks.advance(.seconds(1))
            #expect(try await world.answer(world.token()) == "200")
        }
    }

    @Test("without news for a second a request is refused with 503", arguments: [false, true])
    func staleness(_ trustsWhenStale: Bool) async throws {
        try await run(trustsWhenStale: trustsWhenStale) { world in
            let (revoked, other) = (try world.token(), try world.token(["sid": "s2"]))
            world.issuer.write(Self.revoked + Self.live)
            try await wait(world, "401 session_revoked", for: revoked)
            try await wait(world, "200", for: other)
            world.clocks.advance(.seconds(2))
            #expect(try await world.answer(other) == (trustsWhenStale ? "200" : "503 unavailable"))
            #expect(try await world.answer(revoked) == "401 session_revoked")
            world.issuer.write(Self.live)
            try await wait(world, "200", for: other)
        }
    }

    @Test(
        "a broken stream is opened again after the last entry that was read",
        arguments: [
            "", "event: revoked\ndata: {\"session\":7}\n\n", "event: revoked\ndata: x\n\n",
            "event: stale\ndata: {\"subject\":\"u\"}\n\n",
            "event: revoked\nid: a b\ndata: {\"session\":\"s\",\"time\":1}\n\n",
            "event: current\ndata: {}\n\n", current(age: -1), current(age: 0, elapsed: -1),
            "event: current\ndata: {\"age\":0}\n\n",
            String(repeating: "x", count: 70000),
        ])
    func reconnects(_ nonsense: String) async throws {
        try await run { world in
            let token = try world.token()
            world.issuer.write(Self.revoked + Self.live)
            try await wait(world, "401 session_revoked", for: token)
            world.issuer.write(nonsense)
            if nonsense.isEmpty { world.issuer.endStreams() }
            try await waitUntil { world.issuer.streamRequests.count > 1 }
            #expect(world.issuer.streamRequests[0][.lastEventID] == nil)
            #expect(world.issuer.streamRequests[1][.lastEventID] == "1-7")
            world.issuer.write(Self.live)
            try await waitUntil { world.log.lines.contains { $0.contains("revocations is read again") } }
            #expect(world.errors.count == 1, "\(world.errors)")
            #expect(try await world.answer(token) == "401 session_revoked")
        }
    }

    @Test("a stream without a byte is opened again")
    func silence() async throws {
        try await run({ $0.silence = .milliseconds(50) }) { world in
            try await waitUntil { world.issuer.streamRequests.count > 2 }
            #expect(try await world.answer(world.token()) == "503 unavailable")
        }
    }

    @Test("a wrong service key refuses requests, and the log says it once")
    func wrongKey() async throws {
        try await ResourceWorld.run(stream: { .init(privateListener: $0, key: "crk_wrong") }) { world in
            world.issuer.refusesStream = true
            world.issuer.endStreams()
            let count = world.issuer.streamRequests.count
            try await waitUntil { world.issuer.streamRequests.count > count + 3 }
            #expect(try await world.answer(world.token()) == "503 unavailable")
            #expect(world.errors.count == 1 && !world.log.lines.contains { $0.contains("crk_wrong") })
        }
    }

    @Test("after the wall clock was set back the stream is read from its start")
    func clockSetBack() async throws {
        try await run { world in
            let token = try world.token(["sid": "s2"])
            world.issuer.write(Self.revoked + Self.live)
            try await wait(world, "200", for: token)
            world.clocks.setWallClock(ResourceWorld.start - .seconds(20))
            #expect(try await world.answer(token) == "503 unavailable")
            world.issuer.write(Self.live)
            try await waitUntil { world.issuer.streamRequests.count > 1 }
            #expect(world.issuer.streamRequests[1][.lastEventID] == nil)
            world.issuer.write(Self.live)
            try await wait(world, "200", for: token)
        }
    }

    @Test("news are as old as they say")
    func age() async throws {
        try await run { world in
            let token = try world.token()
            world.issuer.write(Self.current(age: 0.6))
            try await wait(world, "200", for: token)
            world.clocks.advance(Span(milliseconds: 300))
            #expect(try await world.answer(token) == "200")
            world.clocks.advance(Span(milliseconds: 200))
            #expect(try await world.answer(token) == "503 unavailable")
        }
    }

    @Test("news that a relay held back are as old as the delay")
    func delay() async throws {
        try await run { world in
            let token = try world.token()
            world.clocks.advance(Span(milliseconds: 400))
            world.issuer.write(Self.current(age: 0.3, elapsed: 0))
            try await wait(world, "200", for: token)
            world.clocks.advance(Span(milliseconds: 200))
            #expect(try await world.answer(token) == "200")
            world.clocks.advance(Span(milliseconds: 200))
            #expect(try await world.answer(token) == "503 unavailable")
        }
    }

    @Test("a stream that is late by half of the time that the view may be old is read again")
    func late() async throws {
        try await run { world in
            world.clocks.advance(Span(milliseconds: 600))
            world.issuer.write(Self.revoked + Self.current(age: 0, elapsed: 0))
            try await waitUntil { world.issuer.streamRequests.count > 1 }
            #expect(world.issuer.streamRequests[1][.lastEventID] == "1-7")
            #expect(world.errors.count == 1 && world.errors[0].contains("late"))
        }
    }

    @Test(
        "after a reset, and in another history without one, the stream is read from its start, and known revocations count",
        arguments: [
            ("event: reset\ndata: {}\n\n", nil),
            ("event: reset\ndata: {}\n\nevent: revoked\nid: 2-9\ndata: {\"session\":\"s3\",\"time\":1}\n\n", "2-9"),
            ("event: revoked\nid: 12-9\ndata: {\"session\":\"s3\",\"time\":1}\n\n", nil),
        ])
    func otherHistory(_ row: (text: String, place: String?)) async throws {
        try await run { world in
            let token = try world.token()
            world.issuer.write(Self.revoked + Self.live)
            try await wait(world, "401 session_revoked", for: token)
            world.issuer.write(row.text)
            world.issuer.endStreams()
            try await waitUntil { world.issuer.streamRequests.count > 1 }
            #expect(world.issuer.streamRequests[1][.lastEventID] == row.place)
            world.issuer.write(Self.live)
            try await wait(world, "200", for: world.token(["sid": "s2"]))
            #expect(try await world.answer(token) == "401 session_revoked")
        }
    }

    @Test("a token that is valid for longer than its revocation is remembered is refused, early and late")
    func longLifetime() async throws {
        try await run { world in
            world.issuer.write(Self.live)
            let now = world.clocks.now.seconds
            let long = try world.token(["exp": .integer(now + 3600 + 31)])
            let fitting = try world.token(["exp": .integer(now + 3600 + 29)])
            try await wait(world, "200", for: fitting)
            #expect(try await world.answer(long) == "401 token_expired")
            world.clocks.advance(.seconds(3600))
            world.issuer.write(Self.live)
            try await wait(world, "200", for: fitting)
            #expect(try await world.answer(long) == "401 token_expired")
            #expect(world.log.lines.contains { $0.contains("valid for longer") })
        }
    }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .accept
}
