import CloakroomCore
import CloakroomEndpoints
import CloakroomTokens
import HTTPTypes
import Testing

@Suite struct InlineRenewalTests {
    @Test("an expired access token is renewed on the way, with exactly one Set-Cookie")
    func renews() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            let before = browser.cookie
            server.advance(.minutes(6))
            let answer = try await browser.send(.get, "/mine")
            #expect(answer.status == 200)
            #expect(answer.setCookies.count == 1)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(browser.cookie != before)
        }
    }

    @Test("a live access token is not renewed")
    func keeps() async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let answer = try await browser.send(.get, "/mine")
            #expect(answer.status == 200)
            #expect(answer.setCookies.isEmpty)
        }
    }

    @Test("a straggler is served without being given a token")
    func straggler() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            let old = browser.cookie
            server.advance(.minutes(6))
            try await browser.send(.get, "/mine")
            try await browser.send(.post, "/auth/refresh")
            let late = try await browser.send(.get, "/mine", cookie: old)
            #expect(late.status == 200)
            #expect(late.setCookies.isEmpty)
        }
    }

    @Test("a problem answer carries no Set-Cookie, although the session was renewed")
    func problemsSetNothing() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            server.advance(.minutes(6))
            let answer = try await browser.send(.get, "/app-error")
            #expect(answer.status == 409)
            #expect(answer.setCookies.isEmpty)
            #expect(try await browser.send(.get, "/mine").status == 200)
        }
    }

    @Test("with hybrid delivery the cookie alone opens nothing of the app's")
    func hybrid() async throws {
        let server = try TestServer { $0.clients = [Client(id: ClientID("spa"), delivery: .hybrid)] }
        try await server.run { browser in
            try await browser.signUp()
            let login = try await browser.send(
                .post, "/auth/login",
                ["email": "ann@example.com", "password": .string(TestServer.password), "client_id": "spa"])
            #expect(browser.cookie?.hasPrefix("~") == true)
            #expect(try await browser.send(.get, "/mine").code == "token_expired")
            let token = try #require(login.json.objectValue?["access_token"]?.stringValue)
            #expect(try await browser.send(.get, "/mine", headers: [.authorization: "Bearer \(token)"]).status == 200)
            #expect(try await browser.send(.post, "/auth/refresh").json.objectValue?["access_token"] != nil)
        }
    }

    @Test("a cross-site request rotates nothing")
    func crossSite() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            let before = browser.cookie
            server.advance(.minutes(6))
            let forged = try await browser.send(.post, "/auth/refresh", headers: [.origin: "https://evil.example"])
            #expect(forged.code == "cross_site_request")
            let own = try await browser.send(.post, "/auth/refresh", cookie: before)
            #expect(own.session["rotated"] == true)
        }
    }
}
