import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

@Suite struct ContractTests {
    private static let everyPath: [String] = Set(Endpoint.onPublicListener.flatMap { $0.paths() }).sorted()

    @Test("every path refuses other methods with 405, and lists its own", arguments: everyPath)
    func methods(_ path: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.patch, path)
            #expect(answer.status == 405)
            #expect(answer.headers[.allow]?.contains("OPTIONS") == true)
        }
    }

    @Test("every response has the security headers", arguments: everyPath)
    func securityHeaders(_ path: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, path)
            #expect(answer.headers[.xContentTypeOptions] == "nosniff")
            #expect(answer.headers[.known("Referrer-Policy")] == "same-origin")
            #expect(answer.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            #expect(answer.headers[.cacheControl] != nil)
            #expect(answer.headers[.strictTransportSecurity] == nil)
        }
    }

    @Test(
        "paths are compared as bytes",
        arguments: [
            "//auth/session", "/auth/%73ession", "/AUTH/session", "/auth/session//", "/auth/nothing/", "/auth/",
        ])
    func paths(_ path: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, path)
            #expect(answer.code == "not_found")
        }
    }

    @Test(
        "W17: a trailing slash redirects to the path without it, with the query", arguments: everyPath)
    func trailingSlash(_ path: String) async throws {
        try await TestServer().run { browser in
            for method: HTTPRequest.Method in [.get, .post, .delete] {
                let answer = try await browser.send(method, "\(path)/?a=b&c")
                #expect(answer.status == 308 && answer.headers[.location] == "\(path)?a=b&c")
            }
        }
    }

    @Test(
        "W1: HEAD gets the response of GET without a body", arguments: everyPath + ["/nothing", "/mine"])
    func head(_ path: String) async throws {
        try await TestServer().run { browser in
            let get = try await browser.send(.get, path)
            let head = try await browser.send(.head, path)
            #expect(head.text.isEmpty)
            if path != "/mine" { #expect(head.status == get.status) }
            #expect(head.headers[.contentType] == get.headers[.contentType] || path == "/mine")
        }
    }

    @Test("item 22: failures of an app's route and of the framework have the headers of other responses")
    func errorsOfTheApp() async throws {
        let front = "https://front.example"
        let server = try TestServer { $0.trustedOrigins = Set([front].compactMap { OriginPattern(parsing: $0) }) }
        try await server.run { browser in
            for (path, status) in [
                ("/app-error", 409), ("/app-failure", 500), ("/nothing", 404), ("/auth/nothing", 404),
            ] {
                let answer = try await browser.send(.get, path, headers: [.origin: front])
                #expect(answer.status == status)
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(answer.headers[.contentSecurityPolicy] != nil)
                #expect(answer.headers[.accessControlAllowOrigin] == front)
                #expect(answer.setCookies.isEmpty)
            }
        }
    }

    @Test("W20: a trusted origin's preflight is allowed with any requested headers; another origin's is not")
    func preflight() async throws {
        let front = "https://front.example"
        let server = try TestServer { $0.trustedOrigins = Set([front].compactMap { OriginPattern(parsing: $0) }) }
        try await server.run { browser in
            for path in ["/auth/login", "/auth/session", "/mine", "/nothing"] {
                let asked: HTTPFields = [
                    .accessControlRequestMethod: "POST", .accessControlRequestHeaders: "traceparent, baggage",
                ]
                var headers = asked
                headers[.origin] = front
                let answer = try await browser.send(.options, path, headers: headers)
                #expect(answer.status == 204)
                #expect(answer.headers[.accessControlAllowHeaders] == "traceparent, baggage")
                #expect(answer.headers[.accessControlAllowOrigin] == front)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                headers[.origin] = "https://evil.example"
                let other = try await browser.send(.options, path, headers: headers)
                #expect(other.headers.allSatisfy { !$0.name.canonicalName.hasPrefix("access-control-") })
            }
        }
    }

    @Test("no script of Cloakroom can become a service worker")
    func ownScripts() async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, "/auth/client.js", headers: [.serviceWorker: "script"])
            #expect(answer.status == 403 && answer.code == "service_worker_refused")
        }
    }

    @Test("two apps on one host with different cookie names do not log each other out")
    func cookieNames() async throws {
        let server = try TestServer { $0.cookieName = "__Host-other" }
        try await server.run { browser in
            let answer = try await browser.signUp()
            #expect(answer.setCookies.count == 1 && answer.setCookies[0].hasPrefix("__Host-other=ey"))
            let value = try #require(browser.cookie)
            let both = "\(SessionCookie.defaultName)=x~y; __Host-other=\(value)"
            #expect(try await browser.send(.get, "/mine", headers: [.cookie: both]).status == 200)
            #expect(
                try await browser.send(.get, "/mine").code == "session_missing",
                "the cookie has the name of the other app")
        }
    }

    @Test("the life of a session: sign-up, list, step-up, end from another session, logout")
    func life() async throws {
        try await TestServer().run { browser in
            let signedUp = try await browser.signUp()
            #expect(signedUp.status == 201)
            let first = browser.cookie
            let login: JSONValue = ["email": "ann@example.com", "password": .string(TestServer.password)]
            try await browser.send(.post, "/auth/login", login, headers: [.cookie: ""])
            let list = try await browser.send(.get, "/auth/sessions").json.objectValue?["sessions"]?.arrayValue
            #expect(list?.count == 2)
            let raised = try await browser.send(.post, "/auth/step-up", ["password": .string(TestServer.password)])
            #expect(raised.status == 200 && raised.session["rotated"] == true)
            #expect(try await browser.send(.post, "/auth/sessions/revoke-others").status == 204)
            #expect(try await browser.send(.get, "/mine", cookie: first).code == "session_revoked")
            let last = browser.cookie
            #expect(try await browser.send(.post, "/auth/logout").status == 204)
            #expect(try await browser.send(.get, "/mine", cookie: last).code == "session_revoked")
        }
    }

    @Test("a login ends the session of the request's cookie")
    func replaces() async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let first = browser.cookie
            try await browser.send(
                .post, "/auth/login", ["email": "ann@example.com", "password": .string(TestServer.password)])
            #expect(try await browser.send(.get, "/mine", cookie: first).code == "session_revoked")
        }
    }

    @Test("a session of another user cannot be ended")
    func foreignSession() async throws {
        try await TestServer().run { browser in
            let ann = try await browser.signUp()
            let id = try #require(ann.session["id"]?.stringValue)
            browser.cookie = nil
            try await browser.signUp("bob@example.com")
            #expect(try await browser.send(.delete, "/auth/sessions/\(id)").code == "not_found")
        }
    }

    @Test("a passive request neither renews a session nor counts as activity")
    func passive() async throws {
        let server = try TestServer { $0.policy.idleLifetime = .minutes(20) }
        try await server.run { browser in
            try await browser.signUp()
            server.advance(.minutes(15))
            let look = try await browser.send(.get, "/auth/session?passive=1")
            #expect(look.json.objectValue?["authenticated"] == true)
            #expect(look.setCookies.isEmpty)
            server.advance(.minutes(6))
            #expect(try await browser.send(.get, "/auth/session").json == ["authenticated": false])
        }
    }
}
