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

    @Test(
        "a new token is served while it may be in flight, confirmed when presented, renewed after the window"
    )
    func served() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            let old = browser.cookie
            server.advance(.minutes(6))
            #expect(try await browser.send(.get, "/mine").setCookies.count == 1)
            let newer = browser.cookie
            // 24 parallel requests get one cookie, not 24.
            for _ in 0..<23 {
                let answer = try await browser.send(.get, "/mine", cookie: old)
                #expect(answer.status == 200 && answer.setCookies.isEmpty && answer.text.hasPrefix("u_"))
            }
            server.advance(.seconds(3))
            let again = try await browser.send(.get, "/mine", cookie: old)
            #expect(
                again.cookie?.split(separator: "~").last == newer?.split(separator: "~").last, "the same token again")
            server.advance(.minutes(6))
            let confirming = try await browser.send(.get, "/mine", cookie: newer)
            #expect(confirming.status == 200 && confirming.setCookies.isEmpty)
            server.advance(.seconds(29))
            #expect(try await browser.send(.get, "/mine", cookie: newer).setCookies.isEmpty)
            server.advance(.seconds(1))
            #expect(try await browser.send(.get, "/mine", cookie: newer).setCookies.count == 1)
        }
    }

    @Test(
        "W22: an access token is renewed ten seconds before it expires, so that it is valid at the backend"
    )
    func handOverMargin() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            server.advance(.seconds(290))
            #expect(try await browser.send(.get, "/mine").setCookies.isEmpty)
            server.advance(.seconds(1))
            #expect(try await browser.send(.get, "/mine").setCookies.count == 1)
        }
    }

    @Test("a straggler is served at its own level without a new token")
    func straggler() async throws {
        let server = try TestServer()
        try await server.run { browser in
            let signedUp = try await browser.signUp()
            let old = browser.cookie
            server.advance(.minutes(6))
            let raised = try await browser.send(.post, "/auth/step-up", ["password": .string(TestServer.password)])
            #expect(raised.status == 200 && raised.session["auth_time"] != signedUp.session["auth_time"])
            // The client presents the new generation: the straggler window opens.
            #expect(try await browser.send(.post, "/auth/refresh").session["rotated"] == false)
            let late = try await browser.send(.post, "/auth/refresh", cookie: old)
            #expect(late.status == 200 && late.setCookies.isEmpty)
            #expect(late.session["rotated"] == false && late.session["auth_time"] == signedUp.session["auth_time"])
            #expect(late.session["expires_in"] == 0 && late.session["renew_in"] == 30)
            #expect(try await browser.send(.get, "/mine", cookie: old).setCookies.isEmpty)
            server.advance(.seconds(30))
            #expect(try await browser.send(.get, "/mine", cookie: old).code == "refresh_token_reused")
        }
    }

    @Test("renew_in says when a renewal returns a newer token, and then it does")
    func renewIn() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            let old = browser.cookie
            let rotated = try await browser.send(.post, "/auth/refresh")
            #expect(rotated.session["rotated"] == true && rotated.session["renew_in"] == nil)
            let waiting = try await browser.send(.post, "/auth/refresh", cookie: old)
            #expect(waiting.session["rotated"] == false && waiting.session["renew_in"] == 2)
            let seen = try await browser.send(.post, "/auth/refresh")
            #expect(seen.session["rotated"] == false && seen.session["renew_in"] == 30)
            #expect(seen.session["expires_in"] == 300, "expires_in of the presented token")
            server.advance(Span(milliseconds: 28_001))
            #expect(try await browser.send(.post, "/auth/refresh").session["renew_in"] == 2, "rounded up")
            server.advance(Span(milliseconds: 1999))
            #expect(try await browser.send(.post, "/auth/refresh").session["rotated"] == true)
        }
    }

    @Test("a problem response has no Set-Cookie, although the session was renewed")
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

    @Test("with hybrid delivery the cookie alone is refused by the app's routes")
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
