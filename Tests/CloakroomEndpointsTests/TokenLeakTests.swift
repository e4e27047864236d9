import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import CloakroomEndpoints

/// Issue 12, A1 and A2: no response that script can read contains a token. The list of endpoints is the route table
/// itself, so that a new endpoint is always tested.
@Suite struct TokenLeakTests {
    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    /// Paths that have no endpoint, or one on the private listener only.
    private static let elsewhere = [
        "/auth/check", "/auth/check?allow=200", "/auth/check;allow=200/app", "/metrics", "/service/sessions", "/auth",
        "/auth/nothing", "/mine", "/app-error", "/app-failure", "/", "/auth/session/", "/auth/session?passive=1",
        "/auth/pages/login?return_to=/%7B%7Bnonce%7D%7D&error=invalid_credentials",
    ]

    private static let paths = Set(Endpoint.onPublicListener.flatMap { $0.paths(naming: "{id}") } + elsewhere).sorted()

    /// Headers that proxies send, forged by script.
    private static let forwarded: HTTPFields = [
        .known("X-Forwarded-Method"): "GET", .known("X-Forwarded-Uri"): "/auth/session",
        .known("X-Original-Method"): "GET", .known("X-Original-URI"): "/auth/session",
        .known("X-Forwarded-Host"): "localhost", .known("X-Forwarded-Proto"): "http",
        .known("X-Forwarded-For"): "127.0.0.1", .known("Forwarded"): "for=127.0.0.1;host=localhost",
        .known("X-Real-IP"): "127.0.0.1", .known("X-Auth-Request-Redirect"): "/",
        .known("X-Auth-Subject"): "u_other", .known("X-Rewrite-URL"): "/auth/check",
    ]

    /// Sends one request with a session of its own.
    /// - Returns: the place of a token, with the request; nil if there is none.
    private static func leak(
        _ world: TokenLeakWorld, _ browser: Browser, _ state: PresentedState, _ method: HTTPRequest.Method,
        _ path: String, _ headers: HTTPFields
    ) async throws -> (leak: String?, answer: Browser.Answer) {
        let presented = try await world.present(state)
        var fields: JSONObject = [
            "email": .string(presented.email), "password": .string(TestServer.password),
            "current_password": .string(TestServer.password), "new_password": "another fine password",
            "client_id": .string(state.client.rawValue),
        ]
        if let token = presented.refreshToken { fields["refresh_token"] = .string(token) }
        var headers = headers
        // Replaces the browser's own cookie: an empty value removes the header.
        headers[.cookie] = presented.cookie.map { "\(SessionCookie.defaultName)=\($0)" } ?? ""
        if let bearer = presented.bearer { headers[.authorization] = "Bearer \(bearer)" }
        let answer = try await browser.send(
            method, path.replacing("{id}", with: presented.otherSession),
            method == .get || method == .head ? nil : .object(fields), headers: headers)
        let scan = LeakScan(presented.secrets + handedOut(by: answer))
        let place = scan.leak(in: answer, exceptMembers: state.delivered(by: method, path))
        return (place.map { "\($0) of \(method) \(path), \(state)" }, answer)
    }

    /// The tokens in the cookie and the body of a response, allowed or not.
    private static func handedOut(by answer: Browser.Answer) -> [String] {
        let cookies = answer.setCookies.map { $0.prefix { $0 != ";" }.drop { $0 != "=" }.dropFirst() }
        let members = ["access_token", "refresh_token"].compactMap { answer.json.objectValue?[$0]?.stringValue }
        return cookies.flatMap { $0.split(separator: "~").map(String.init) } + members
    }

    @Test(
        "no endpoint, page or refusal shows a token or a cookie's value to script, in any state",
        arguments: PresentedState.allCases)
    func nothingLeaks(_ state: PresentedState) async throws {
        let world = try await TokenLeakWorld()
        try await world.server.run { browser in
            var statuses: Set<Int> = []
            for path in Self.paths {
                for method in Self.methods {
                    for headers in [[:], Self.forwarded] as [HTTPFields] {
                        let (leak, answer) = try await Self.leak(world, browser, state, method, path, headers)
                        #expect(leak == nil)
                        statuses.insert(answer.status)
                    }
                }
            }
            #expect(
                statuses.isSuperset(of: [200, 204, 404, 405]),
                "some requests must reach an endpoint: \(statuses.sorted())")
        }
    }

    @Test("no forged header, and no header that a page's fetch can set, changes this")
    func headersAlone() async throws {
        let world = try await TokenLeakWorld()
        let alone = Self.forwarded.map { [$0.name: $0.value] as HTTPFields }
        let others: [HTTPFields] = [
            [.secFetchMode: "cors"], [.secFetchMode: "navigate"], [.secFetchSite: "same-origin"],
            [.origin: "https://front.example"], [.origin: "https://evil.example"], [.accept: "text/html"],
            [.known("X-XSRF-TOKEN"): "x"], [.known("Upgrade"): "websocket"],
        ]
        try await world.server.run { browser in
            for state in [PresentedState.expired, .fresh, .hybrid, .pending] {
                let described = Endpoint.onPublicListener.flatMap { endpoint in
                    endpoint.paths(naming: "{id}").map { (endpoint.method, $0) }
                }
                for endpoint in described + Self.elsewhere.map({ (.get, $0) }) {
                    for headers in alone + others {
                        let (leak, _) = try await Self.leak(
                            world, browser, state, endpoint.0, endpoint.1, headers)
                        #expect(leak == nil, "\(headers)")
                    }
                }
            }
        }
    }

    @Test("each state of the table is the one that its name says, by the response of an app's route")
    func states() async throws {
        let world = try await TokenLeakWorld()
        let expected: [PresentedState: (status: Int, cookie: Bool)] = [
            .fresh: (200, false), .expired: (200, true), .nearlyExpired: (200, true), .pending: (200, true),
            .straggler: (200, false), .reused: (401, false), .hybrid: (401, false), .hybridBearer: (200, false),
            .body: (401, false), .bodyBearer: (200, false), .bearer: (200, false), .bearerExpired: (401, false),
            .idleTooLong: (401, false), .revoked: (401, false), .forged: (401, false), .unknownKey: (401, false),
            .differentSessions: (401, false),
        ]
        try await world.server.run { browser in
            for state in PresentedState.allCases {
                let (_, answer) = try await Self.leak(world, browser, state, .get, "/mine", [:])
                #expect(answer.status == expected[state]?.status, "\(state) \(answer.text)")
                #expect(answer.setCookies.isEmpty != expected[state]?.cookie, "\(state)")
            }
        }
    }

    /// Endpoints that leak a token in each possible way, with the place that the scan must report.
    private struct LeakyEndpoint: RouterMiddleware {
        let kind: Kind

        enum Kind: CaseIterable {
            case header, headersName, redirect, body, problem, part, handedOut, nothing
        }

        func handle(
            _ request: Request, context: BasicSessionRequestContext,
            next: (Request, BasicSessionRequestContext) async throws -> Response
        ) async throws -> Response {
            var response = try await next(request, context)
            guard request.uri.path == "/mine" else { return response }
            let cookie = request.headers[.cookie] ?? ""
            let access = String(cookie.drop { $0 != "=" }.dropFirst().prefix { $0 != "~" })
            let refresh = String(cookie.drop { $0 != "~" }.dropFirst())
            switch kind {
            case .header: response.headers[.authorization] = "Bearer \(access)"
            case .headersName: response.headers[.known("X-\(access.prefix(24).replacing("=", with: ""))")] = "1"
            case .redirect: response.headers[.location] = "/app?token=\(refresh)"
            case .body: response.body = .init(byteBuffer: ByteBuffer(string: "hello \(cookie)"))
            case .problem: response.body = .init(byteBuffer: ByteBuffer(string: "{\"was\":\"\(refresh.suffix(20))\"}"))
            case .part: response.headers[.known("X-Debug")] = "…\(access.dropFirst(100).prefix(16))…"
            case .handedOut: response.headers[.known("X-Auth-Set-Cookie")] = response.headers[.setCookie]
            case .nothing: response.headers[.known("X-Debug")] = "…\(access.dropFirst(100).prefix(15))…"
            }
            return response
        }
    }

    @Test("each kind of leaking endpoint is detected", arguments: LeakyEndpoint.Kind.allCases)
    private func leaksAreFound(_ kind: LeakyEndpoint.Kind) async throws {
        let world = try await TokenLeakWorld()
        try await world.server.run(front: { $0.add(middleware: LeakyEndpoint(kind: kind)) }) { browser in
            let (leak, answer) = try await Self.leak(world, browser, .expired, .get, "/mine", [:])
            #expect(answer.setCookies.count == 1, "the request renewed the session")
            #expect((leak != nil) == (kind != .nothing), "\(leak ?? "nothing")")
        }
    }

    @Test("body delivery is allowed only in its own members, at its own endpoints")
    func excused() async throws {
        let world = try await TokenLeakWorld()
        try await world.server.run { browser in
            let presented = try await world.present(.body)
            let token = try #require(presented.refreshToken)
            let answer = try await browser.send(
                .post, "/auth/refresh", ["refresh_token": .string(token)], headers: [.cookie: ""])
            let object = try #require(answer.json.objectValue)
            let refresh = try #require(object["refresh_token"]?.stringValue)
            let scan = LeakScan([refresh, try #require(object["access_token"]?.stringValue)])
            func leak(_ state: PresentedState, _ method: HTTPRequest.Method, _ path: String) -> String? {
                scan.leak(in: answer, exceptMembers: state.delivered(by: method, path))
            }
            #expect(leak(.body, .post, "/auth/refresh") == nil && leak(.bodyBearer, .post, "/auth/step-up") == nil)
            #expect(leak(.hybrid, .post, "/auth/refresh") == "body", "the refresh token")
            #expect(leak(.fresh, .post, "/auth/refresh") == "body")
            for path in ["/auth/sessions", "/auth/password", "/auth/refresh/", "/auth/logout"] {
                #expect(leak(.body, .post, path) == "body", "\(path)")
            }
            #expect(leak(.body, .get, "/auth/refresh") == "body")
            #expect(leak(.body, .get, "/auth/session?passive=1") == nil)
        }
    }
}
