import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

@Suite struct ContractTests {
    @Test("the OpenAPI document describes every endpoint, and no other")
    func openAPI() throws {
        let document = try JSONReader.read(PackageResources.openapi_json, maximumDepth: 32)
        let paths = try #require(document.objectValue?["paths"]?.objectValue)
        let described = Set(
            paths.members.flatMap { path in
                (path.value.objectValue?.members ?? []).map { "\($0.name.uppercased()) \(path.name)" }
            })
        let parts = Set(Endpoint.pageParts.map(\.path))
        let named = Endpoint.all.filter { !parts.contains($0.path) }.map { "\($0.method.rawValue) \($0.path)" }
        let served = Set(named + ["GET /metrics", "GET /auth/pages/{part}"])
        #expect(served.subtracting(described) == [])
        #expect(described.subtracting(served) == [])
    }

    @Test("every path refuses the methods it does not have, and says which it has", arguments: Endpoint.all.map(\.path))
    func methods(_ path: String) async throws {
        let uri = path.replacing("{id}", with: "some-session")
        try await TestServer().run { browser in
            let answer = try await browser.send(.patch, uri)
            guard path != "/auth/check" else { return }
            #expect(answer.status == 405)
            #expect(answer.headers[.allow]?.contains("OPTIONS") == true)
        }
    }

    @Test("every answer carries the headers that keep it in its place", arguments: Endpoint.all.map(\.path))
    func securityHeaders(_ path: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, path.replacing("{id}", with: "some-session"))
            #expect(answer.headers[.xContentTypeOptions] == "nosniff")
            #expect(answer.headers[.known("Referrer-Policy")] == "same-origin")
            #expect(answer.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            #expect(answer.headers[.cacheControl] != nil)
            #expect(answer.headers[.strictTransportSecurity] == nil)
        }
    }

    @Test(
        "paths mean what their bytes say",
        arguments: ["//auth/session", "/auth/session/", "/auth/%73ession", "/AUTH/session"])
    func paths(_ path: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, path)
            #expect(answer.code == "not_found")
        }
    }

    @Test("a session's life: signed up, listed, raised, ended from elsewhere, logged out")
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

    @Test("a login ends the session that came along in the cookie")
    func replaces() async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let first = browser.cookie
            try await browser.send(
                .post, "/auth/login", ["email": "ann@example.com", "password": .string(TestServer.password)])
            #expect(try await browser.send(.get, "/mine", cookie: first).code == "session_revoked")
        }
    }

    @Test("somebody else's session cannot be ended")
    func foreignSession() async throws {
        try await TestServer().run { browser in
            let ann = try await browser.signUp()
            let id = try #require(ann.session["id"]?.stringValue)
            browser.cookie = nil
            try await browser.signUp("bob@example.com")
            #expect(try await browser.send(.delete, "/auth/sessions/\(id)").code == "not_found")
        }
    }

    @Test("the passive look neither renews nor keeps alive")
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
