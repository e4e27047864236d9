import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

/// Forward-auth, with the requests of a proxy.
@Suite struct CheckEndpointTests {
    private let server: TestServer
    private let ann: LoggedIn

    init() async throws {
        server = try TestServer { configuration in
            configuration.trustedOrigins = Set(["https://front.example"].compactMap { OriginPattern(parsing: $0) })
        }
        ann = try await LoggedIn(server)
    }

    private func ask(_ requests: [String]) async throws -> [RawConnection.Answer] {
        let found = Collected<RawConnection.Answer>()
        try await server.runPrivately { port in
            found.append(contentsOf: try await RawConnection.converse(requests, port: port))
        }
        #expect(found.values.count == requests.count)
        return found.values
    }

    @Test("a live session is allowed, and the response names its user")
    func allows() async throws {
        let answer = try await ask([ann.check()])[0]
        #expect(answer.status == 204 && answer.body.isEmpty)
        #expect(answer.header("Authorization") == "Bearer \(ann.access)")
        #expect(answer.header("X-Auth-Subject")?.hasPrefix("u_") == true)
        #expect(answer.header("X-Auth-Session") == ann.session.rawValue)
        #expect(answer.header("X-Auth-Claims") == "{}" && answer.header("Cache-Control") == "no-store")
        #expect(answer.header("Set-Cookie") == nil)
    }

    @Test("A3: without a forwarded method or target no request is allowed, with a foreign Origin and without one")
    func failsClosed() async throws {
        let cookie = "Cookie: \(SessionCookie.defaultName)=\(ann.cookie)"
        func request(_ lines: String...) -> String {
            (["GET /auth/check HTTP/1.1", "Host: localhost", cookie] + lines).joined(separator: "\r\n") + "\r\n\r\n"
        }
        let answers = try await ask([
            request(), request("Origin: https://evil.example"), request("X-Forwarded-Uri: /"),
            request("X-Forwarded-Method: POST"), request("X-Original-URI: /"), request("X-Forwarded-Host: localhost"),
        ])
        for answer in answers {
            #expect(answer.status == 400 && answer.body.contains("invalid_request"))
            #expect(answer.header("Authorization") == nil && answer.header("X-Auth-Subject") == nil)
        }
    }

    @Test("the public listener has no check, metrics or service API, with any headers")
    func publicly() async throws {
        let paths = [
            "/auth/check", "/auth/check/", "/auth/check?allow=200", "/auth/check;allow=200/app", "/auth/check/app",
            "/auth/%63heck", "//auth/check", "/metrics", "/service/sessions", "/service/events",
        ]
        let cookie = ann.cookie
        try await server.run { browser in
            for path in paths {
                for method: HTTPRequest.Method in [.get, .post, .head, .options] {
                    let answer = try await browser.send(
                        method, path, cookie: cookie,
                        headers: [
                            .known("X-Forwarded-Method"): "GET", .known("X-Forwarded-Uri"): "/",
                            .known("X-Original-URI"): "/", .known("X-Forwarded-For"): "127.0.0.1",
                        ])
                    #expect(answer.status == 404, "\(method) \(path)")
                    #expect(answer.headers[.authorization] == nil && answer.setCookies.isEmpty)
                }
            }
        }
    }

    @Test("the private listener has no pages, sign-ups or CORS")
    func privately() async throws {
        let origin = "Origin: https://front.example"
        let answers = try await ask(
            ["/", "/auth/login", "/auth/session", "/auth/pages/login", "/auth/openapi.json", "/.well-known/jwks.json"]
                .map { LoggedIn.check([origin], line: "GET \($0) HTTP/1.1") })
        #expect(answers.allSatisfy { $0.status == 404 })
        let others = try await ask([
            LoggedIn.check([origin, "Access-Control-Request-Method: POST"], line: "OPTIONS /auth/check HTTP/1.1"),
            ann.check([origin]), LoggedIn.check([origin], line: "GET /metrics HTTP/1.1"),
            LoggedIn.check([origin], line: "GET /healthz HTTP/1.1"),
        ])
        for answer in answers + others {
            #expect(!answer.head.lowercased().contains("access-control-"))
        }
        #expect(others[2].status == 200 && others[2].body == "metrics\n" && others[3].status == 200)
    }

    @Test("W8: a preflight of a trusted origin is allowed without identity; any other is not")
    func preflight() async throws {
        func preflight(_ origin: String, _ more: String...) -> String {
            let lines = ["X-Forwarded-Method: OPTIONS", "Access-Control-Request-Method: PUT", "Origin: \(origin)"]
            return LoggedIn.check(lines + more).replacing("X-Forwarded-Method: GET\r\n", with: "")
        }
        let answers = try await ask([
            preflight("https://front.example"), preflight("https://evil.example"), preflight("null"),
            preflight("https://front.example", "Origin: https://evil.example"),
            preflight("https://front.example", "Cookie: \(SessionCookie.defaultName)=\(ann.cookie)"),
        ])
        #expect(answers.map(\.status) == [204, 401, 401, 401, 204])
        for answer in [answers[0], answers[4]] {
            #expect(answer.header("X-Auth-Preflight") == "allowed")
            #expect(answer.header("Authorization") == nil && answer.header("X-Auth-Subject") == nil)
        }
        #expect(answers[1...3].allSatisfy { $0.header("X-Auth-Preflight") == nil })
    }

    @Test("W9: with an appended target the check's own method and origin count")
    func appended() async throws {
        let cross = ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"]
        func bare(_ line: String, _ lines: [String] = []) -> String {
            ([line, "Host: localhost", "Cookie: \(SessionCookie.defaultName)=\(ann.cookie)"] + lines)
                .joined(separator: "\r\n") + "\r\n\r\n"
        }
        let answers = try await ask([
            bare("GET /auth/check;allow=200;max_age=300/app?a=b HTTP/1.1"),
            bare("POST /auth/check;/app HTTP/1.1", cross),
            bare("GET /auth/check;/app HTTP/1.1", cross), bare("GET /auth/check;max_age=0/app HTTP/1.1"),
            bare("GET /auth/check;/app;allow=200/x HTTP/1.1"), bare("GET /auth/check; HTTP/1.1"),
        ])
        #expect(answers.map(\.status) == [200, 403, 204, 204, 204, 400])
    }

    @Test("W13: a WebSocket handshake is unsafe, known by Upgrade or by its key")
    func webSockets() async throws {
        let evil = "Origin: https://evil.example"
        let answers = try await ask([
            ann.check([evil]), ann.check([evil, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
            ann.check([evil, "Upgrade: websocket"]),
            ann.check(["Origin: http://localhost", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
        ])
        #expect(answers.map(\.status) == [204, 403, 403, 204])
    }

    @Test(
        "a refusal carries no renewed cookie; the next allowed check does",
        arguments: [("max_age=60", 401), ("acr=2", 403), ("refuse", 307)])
    func refusalAfterRenewal(_ query: String, _ status: Int) async throws {
        server.advance(.minutes(6))
        let refused = try await ask([ann.check(line: "GET /auth/check?\(query) HTTP/1.1")])[0]
        #expect(refused.status == status)
        #expect(refused.header("Set-Cookie") == nil && refused.header("X-Auth-Set-Cookie") == nil)
        server.advance(.seconds(3))
        let allowed = try await ask([ann.check()])[0]
        #expect(allowed.status == 204)
        let setCookie = try #require(allowed.header("Set-Cookie"))
        let token = setCookie.prefix { $0 != ";" }.drop { $0 != "~" }.dropFirst()
        let refresh = try server.keys.read(refreshToken: Array(token.utf8))
        #expect(refresh.presented.generation == 1, "the token of the earlier renewal, not another")
    }

    @Test("each demand of a proxy's configuration, for a session that logged in a minute ago")
    func demands() async throws {
        server.advance(.minutes(1))
        let rows: [(query: String, status: Int)] = [
            ("max_age=60", 204), ("max_age=59", 401), ("acr=1", 204), ("acr=2", 403), ("acr=phr", 403), ("acr=9", 400),
            ("allow=200", 200),
            ("max_age=-1", 400), ("max_age=1e3", 400), ("acr=", 400), ("allow=", 400), ("max_age=60&max_age=60", 400),
            ("max_age", 400), ("nothing=1", 400), ("max_age=%36%30", 204), ("max_age=%zz", 400),
        ]
        let answers = try await ask(rows.map { ann.check(line: "GET /auth/check?\($0.query) HTTP/1.1") })
        for (row, answer) in zip(rows, answers) { #expect(answer.status == row.status, "\(row.query)") }
        #expect(answers[1].header("WWW-Authenticate")?.contains("max_age=\"59\"") == true)
        #expect(answers[3].body.contains("step_up_unavailable"), "no account reaches it in this version")
    }

    @Test("a navigation is redirected to the login page with return_to; a script gets 401")
    func redirects() async throws {
        func login(_ uri: String, _ lines: String..., target: String = "/app?a=b") -> String {
            LoggedIn.check(lines, line: "GET \(uri) HTTP/1.1").replacing("/app?a=b", with: target)
        }
        let navigate = "Sec-Fetch-Mode: navigate"
        let answers = try await ask([
            login("/auth/check?login=/login", navigate), login("/auth/check?login=/login%3Fa=b", navigate),
            login("/auth/check?login=/login", "Accept: text/html"), login("/auth/check?login=/login"),
            login("/auth/check?login=/login", "Accept: text/html", "Sec-Fetch-Mode: cors"),
            login("/auth/check?login=/login", navigate, target: "//evil.example"),
            login("/auth/check?login=/login", navigate, target: "/%"),
            login("/auth/check?login=/login", navigate).replacing(
                "X-Forwarded-Method: GET", with: "X-Forwarded-Method: POST"),
        ])
        #expect(answers.map(\.status) == [302, 302, 302, 401, 401, 302, 302, 401])
        #expect(answers[0].header("Location") == "/login?return_to=/app%3Fa%3Db")
        #expect(answers[1].header("Location") == "/login?a=b&return_to=/app%3Fa%3Db")
        #expect(answers[5].header("Location") == "/login?return_to=/", "the redirect stays on this host")
        #expect(answers[6].header("Location") == "/login?return_to=/")
    }

    @Test(
        "a login page on another origin is refused",
        arguments: ["//evil.example", "/%5Cevil", "https://evil.example", "/a%0D%0Ab", "%2F%2Fevil.example"])
    func refusesOpenRedirects(_ login: String) async throws {
        let answer = try await ask([
            LoggedIn.check(["Sec-Fetch-Mode: navigate"], line: "GET /auth/check?login=\(login) HTTP/1.1")
        ])[0]
        #expect(answer.status == 400)
    }

    @Test("a check with refuse that would allow the request redirects to the same target")
    func refuse() async throws {
        let line = "GET /auth/check?refuse HTTP/1.1"
        let post = ["X-Forwarded-Method: POST", "Origin: http://localhost", "Sec-Fetch-Site: same-origin"]
        let answers = try await ask([
            ann.check(line: line), LoggedIn.check(line: line),
            ann.check(post, line: line).replacing("X-Forwarded-Method: GET\r\n", with: ""),
            ann.check(line: line).replacing("/app?a=b", with: "//evil.example"),
        ])
        #expect(answers.map(\.status) == [307, 401, 503, 503])
        #expect(answers[0].header("Location") == "/app?a=b" && answers[0].header("Authorization") == nil)
    }

    @Test("a Host that is not ours is 421, also if the proxy forwards it")
    func misdirected() async throws {
        let answers = try await ask([
            ann.check(["X-Forwarded-Host: evil.example"]), ann.check(["X-Forwarded-Host: localhost:8443"]),
            ann.check(["X-Forwarded-Host: 127.0.0.1"]),
        ])
        #expect(answers.map(\.status) == [421, 204, 204])
    }

    @Test(
        "a path on the same origin is distinguished from one that leaves it",
        arguments: [
            ("/", true), ("/a/b?c=d", true), ("/a%20b", true), ("//evil", false), ("/\\evil", false), ("/a#b", false),
            ("/%zz", false), ("/%2", false), ("", false), ("a", false), ("/\u{E9}", false), ("/a b", false),
            ("/a\tb", false),
        ])
    func sameOriginPath(_ path: String, _ expected: Bool) {
        #expect(SameOriginPath.isSafe(path) == expected)
    }
}
