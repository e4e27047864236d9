import CloakroomCore
import CloakroomMiddleware
import CloakroomService
import CloakroomTokens
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import CloakroomEndpoints

/// The same authorization server twice: once with the memory of checks in front, once without.
private struct TwoServers {
    let server: TestServer
    /// Ports of the one that remembers and of the one that does not.
    let remembering: Int
    let plain: Int
    /// Of the one that remembers.
    let browser: Browser
    let cookie: String
    let session: String
    private let answered: Counter

    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }

    /// How many answers came from memory.
    var rememberedCount: Int { answered.value }

    typealias AppRouter = Router<BasicSessionRequestContext>

    /// - Parameter front: puts what an app has in front of the endpoints.
    static func run(
        front: (AppRouter) -> Void = { _ in },
        _ test: @escaping @Sendable (TwoServers) async throws -> Void
    ) async throws {
        let server = try TestServer { configuration in
            configuration.trustedProxies = TrustedProxies([AddressRange(parsing: "127.0.0.1")].compactMap { $0 })
        }
        let answered = Counter()
        let remembering = Application(
            router: router(server, front),
            server: .http1(rememberingChecksOf: server.server, observing: { _ in answered.add() }))
        try await remembering.test(.live) { client in
            let port = try #require(client.port)
            let browser = Browser(client: client)
            let session = try await browser.signUp().session["id"]?.stringValue
            let cookie = try #require(browser.cookie)
            try await Application(router: router(server)).test(.live) { other in
                try await test(
                    TwoServers(
                        server: server, remembering: port, plain: try #require(other.port), browser: browser,
                        cookie: cookie, session: try #require(session), answered: answered))
            }
        }
    }

    private static func router(_ server: TestServer, _ front: (AppRouter) -> Void = { _ in }) -> AppRouter {
        let router = AppRouter(context: BasicSessionRequestContext.self)
        front(router)
        router.addCloakroom(server.server)
        return router
    }

    /// A check with the session's cookie, as a proxy asks it, with more header lines.
    func check(
        _ more: [String] = [], line: String = "GET /auth/check HTTP/1.1", hasCookie: Bool = true, cookie: String? = nil
    ) -> String {
        let cookie = hasCookie ? ["Cookie: \(cookie ?? "\(SessionCookie.name)=\(self.cookie)")"] : []
        return ([line, "Host: localhost"] + cookie + more).joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// Sends the requests one after the other, and says of each whether it was answered from memory.
    func remembers(_ requests: String...) async throws -> [Bool] {
        var remembered: [Bool] = []
        for request in requests {
            let before = rememberedCount
            _ = try await RawConnection.send([request], port: remembering)
            remembered.append(rememberedCount > before)
        }
        return remembered
    }
}

@Suite struct CheckHandlerTests {
    /// Header lines, and whether a check with them may be answered from memory.
    private static let variations: [(lines: [String], mayBeRemembered: Bool)] = [
        ([], true),
        (["Connection: keep-alive", "Content-Length: 0"], true),
        (["X-Forwarded-Method: GET", "X-Forwarded-Uri: /a?b=c", "X-Forwarded-Host: localhost"], true),
        (["X-Original-URI: /api/items", "X-Original-Method: GET", "X-Forwarded-For: 203.0.113.9"], true),
        (["X-Original-URI: /auth/session"], true),
        (["Accept: text/html", "Accept-Language: de", "Referer: https://elsewhere.example/"], true),
        (["X-Forwarded-Method: POST", "Origin: http://localhost", "Sec-Fetch-Site: same-origin"], true),
        (["Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-origin"], true),
        (["Sec-Fetch-Mode: navigate"], true),
        (["X-Nobody-Knows: this"], true),
        (["X-Forwarded-Method: POST", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"], false),
        (["X-Forwarded-Uri: /a", "X-Original-URI: /b"], false),
        (["X-Forwarded-Uri: /a", "X-Original-URI: /a"], false),
        (["X-Forwarded-Uri: //evil\\x"], false),
        (["X-Forwarded-Method: get"], false),
        (["X-Forwarded-Host: evil.example"], false),
        (["Authorization: Bearer x"], false),
        (["Authorization: Basic dTpw"], false),
        (["Service-Worker: script"], false),
        (["Upgrade: websocket", "Connection: Upgrade", "X-Forwarded-Uri: /live"], false),
        (["Sec-Fetch-Mode: same-origin", "Upgrade-Insecure-Requests: 1", "X-Forwarded-Method: POST"], false),
        (["Host: localhost"], false),
        (["Cookie: \(SessionCookie.name)=x~y"], false),
        (["Cookie: other=1"], false),
        (["X-XSRF-TOKEN: x"], false),
        (["Content-Length: 2"], false),
        (["Expect: 100-continue"], false),
        (["Connection: close"], false),
        (["User-Agent: Mozilla/5.0 AppleWebKit/605.1.15 Safari/605"], false),
    ]

    @Test("what is answered from memory is to the byte what the endpoint answers, whatever comes with the check")
    func same() async throws {
        try await TwoServers.run { servers in
            for (lines, mayBeRemembered) in Self.variations {
                let body = lines.contains("Content-Length: 2") ? "{}" : ""
                let request = servers.check(lines) + body
                let expected = try await RawConnection.send([request], port: servers.plain)
                let before = servers.rememberedCount
                for _ in 0..<3 {
                    let answers = try await RawConnection.send([request], port: servers.remembering)
                    #expect(answers == expected, "\(lines)")
                    #expect(answers.allSatisfy { $0.hasDate })
                }
                // The first may be remembered too: it is the same question as an earlier one of the table.
                let expectedCounts = mayBeRemembered ? 2...3 : 0...0
                #expect(expectedCounts.contains(servers.rememberedCount - before), "\(lines)")
            }
        }
    }

    @Test(
        "another method, version, path or cookie is another question",
        arguments: [
            "HEAD /auth/check HTTP/1.1", "POST /auth/check HTTP/1.1", "GET /auth/check HTTP/1.0",
            "GET /auth/checks HTTP/1.1", "GET /auth/check/ HTTP/1.1", "GET /AUTH/check HTTP/1.1",
            "GET http://localhost/auth/check HTTP/1.1", "GET /auth/%63heck HTTP/1.1", "OPTIONS /auth/check HTTP/1.1",
        ])
    func otherQuestions(_ line: String) async throws {
        try await TwoServers.run { servers in
            let request = servers.check(line.hasPrefix("POST") ? ["Content-Length: 0"] : [], line: line)
            let remembered = try await servers.remembers(servers.check(), servers.check(), request, request)
            #expect(remembered == [false, true, false, false])
            guard !line.hasPrefix("HEAD") else { return }
            let expected = try await RawConnection.send([request], port: servers.plain)
            let answers = try await RawConnection.send([request], port: servers.remembering)
            #expect(answers == expected)
        }
    }

    @Test("without the cookie, or with another, nothing is remembered")
    func refusals() async throws {
        try await TwoServers.run { servers in
            let others = [
                servers.check(hasCookie: false),
                servers.check(["Cookie: \(SessionCookie.name)=\(servers.cookie.dropLast())"], hasCookie: false),
            ]
            for request in others {
                for _ in 0..<2 {
                    let answers = try await RawConnection.send([request], port: servers.remembering)
                    #expect(answers.map(\.status) == [401])
                }
            }
            #expect(servers.rememberedCount == 0)
        }
    }

    @Test("a question about a path that the login page is part of is another one")
    func queries() async throws {
        try await TwoServers.run { servers in
            for line in ["GET /auth/check?login=/in HTTP/1.1", "GET /auth/check?login=/other HTTP/1.1"] {
                let remembered = try await servers.remembers(servers.check(line: line), servers.check(line: line))
                #expect(remembered == [false, true])
            }
        }
    }

    @Test("a revoked session is refused at once, also where it was allowed a moment ago")
    func revocation() async throws {
        try await TwoServers.run { servers in
            for _ in 0..<2 { _ = try await RawConnection.send([servers.check()], port: servers.remembering) }
            #expect(servers.rememberedCount == 1)
            let service = servers.server.server.service
            service.verifier.revocations.insert(SessionID(servers.session), at: service.now)
            let answers = try await RawConnection.send([servers.check()], port: servers.remembering)
            #expect(answers[0].status == 401 && answers[0].body.contains("session_revoked"))
        }
    }

    @Test("when the access token has expired it is renewed, and the answer with the new cookie is not remembered")
    func expiry() async throws {
        try await TwoServers.run { servers in
            for _ in 0..<2 { _ = try await RawConnection.send([servers.check()], port: servers.remembering) }
            servers.server.advance(.minutes(6))
            for _ in 0..<2 {
                let answers = try await RawConnection.send([servers.check()], port: servers.remembering)
                #expect(answers[0].status == 204 && answers[0].header("Set-Cookie") != nil)
            }
            #expect(servers.rememberedCount == 1)
        }
    }

    @Test("a session that was never seen is answered to a known question as the endpoint would, and about itself")
    func otherSessions() async throws {
        try await TwoServers.run { servers in
            _ = try await servers.remembers(servers.check())
            for number in 0..<3 {
                servers.browser.cookie = nil
                try await servers.browser.signUp("other-\(number)@example.com")
                let cookie = "theme=dark; \(SessionCookie.name)=\(try #require(servers.browser.cookie)); a=\(number)"
                let request = servers.check(cookie: cookie)
                let remembered = try await servers.remembers(request)
                #expect(remembered == [true])
                let answers = try await RawConnection.send([request], port: servers.remembering)
                let expected = try await RawConnection.send([request], port: servers.plain)
                #expect(answers == expected)
                #expect(answers[0].header("X-Auth-Session") != servers.session)
            }
        }
    }

    @Test("where an app's middleware says something of its own in the answer, nothing is answered from memory")
    func foreignHeaders() async throws {
        try await TwoServers.run(front: { $0.add(middleware: Greeting()) }) { servers in
            let remembered = try await servers.remembers(servers.check(), servers.check())
            #expect(remembered == [false, false])
        }
    }

    private struct Greeting: RouterMiddleware {
        func handle(
            _ request: Request, context: BasicSessionRequestContext,
            next: (Request, BasicSessionRequestContext) async throws -> Response
        ) async throws -> Response {
            var response = try await next(request, context)
            response.headers[.known("X-Greeting")] = "hello \(response.headers[.known("X-Auth-Subject")] ?? "")"
            return response
        }
    }

    @Test("when the keys are exchanged, what was verified with the old ones is verified anew")
    func keys() async throws {
        try await TwoServers.run { servers in
            _ = try await servers.remembers(servers.check(), servers.check())
            let verifier = servers.server.server.service.verifier
            verifier.replaceKeys(with: verifier.ring.current)
            let sameKeys = try await servers.remembers(servers.check())
            #expect(sameKeys == [true])
            let others = try TestServer().server.service.verifier.ring.current
            verifier.replaceKeys(with: others)
            let answers = try await RawConnection.send([servers.check()], port: servers.remembering)
            #expect(answers[0].status == 401 && answers[0].body.contains("token_invalid"))
        }
    }

    @Test("when the feed of revocations is silent for too long, nothing is answered without asking")
    func staleFeed() async throws {
        try await TwoServers.run { servers in
            for _ in 0..<2 { _ = try await RawConnection.send([servers.check()], port: servers.remembering) }
            servers.server.advance(.seconds(6))
            let remembered = try await servers.remembers(servers.check(), servers.check())
            #expect(remembered == [false, true], "the first has the feed read")
        }
    }

    @Test("requests that come in one go are answered in their order, from memory or not")
    func pipelining() async throws {
        try await TwoServers.run { servers in
            let check = servers.check()
            _ = try await RawConnection.send([check], port: servers.remembering)
            let session = servers.check(line: "GET /auth/session?passive=1 HTTP/1.1")
            let health = servers.check(line: "GET /healthz HTTP/1.1")
            let requests = [check, check, session, check, health, check, check]
            let answers = try await RawConnection.send(requests, port: servers.remembering)
            let expected = try await RawConnection.send(requests, port: servers.plain)
            #expect(answers.map(\.status) == [204, 204, 200, 204, 200, 204, 204])
            #expect(answers.map(\.head) == expected.map(\.head))
            #expect(servers.rememberedCount >= 2)
        }
    }

    @Test("after an answer that closes the connection there is no other")
    func closing() async throws {
        try await TwoServers.run { servers in
            _ = try await RawConnection.send([servers.check()], port: servers.remembering)
            let last = servers.check(["Connection: close"])
            let answers = try await RawConnection.send([last, servers.check()], port: servers.remembering)
            #expect(answers.map(\.status) == [204])
        }
    }
}
