import HTTPTypes
import Synchronization
import Testing

@testable import CloakroomEndpoints

@Suite struct PageEndpointTests {
    private func page(_ path: String) async throws -> (text: String, policy: String) {
        let answer = Mutex<Browser.Answer?>(nil)
        try await TestServer().run { browser in
            let response = try await browser.send(.get, path)
            answer.withLock { $0 = response }
        }
        let response = try #require(answer.withLock { $0 })
        #expect(response.status == 200)
        #expect(response.headers[.cacheControl] == "no-store")
        return (response.text, response.headers[.contentSecurityPolicy] ?? "")
    }

    @Test("every script and style carries the nonce of its very answer", arguments: ["login", "signup", "account"])
    func nonce(_ name: String) async throws {
        let (first, second) = (try await page("/auth/pages/\(name)"), try await page("/auth/pages/\(name)"))
        let nonce = try #require(first.policy.firstMatch(of: /script-src 'nonce-([\w-]{24})'/)).1
        #expect(first.policy.contains("style-src 'nonce-\(nonce)'"))
        #expect(!second.policy.contains(nonce))
        let loaded = first.text.matches(of: /<(script|link rel="stylesheet")[^>]*>/)
        #expect(loaded.count == 2)
        #expect(loaded.allSatisfy { $0.0.contains("nonce=\"\(nonce)\"") })
        #expect(!first.text.contains("{{"))
    }

    @Test(
        "return_to is a path on this origin, written so that it stays one attribute",
        arguments: [
            ("/app", "/app"), ("/app%3Fa=%26b", "/app?a=&amp;b"), ("/%22onx='", "/&quot;onx=&#39;"),
            ("//evil.example", nil), ("https://evil.example", nil), ("/%5Cevil.example", nil), ("javascript:x", nil),
            ("/%3Cscript%3E", "/&lt;script&gt;"), ("", nil),
        ] as [(String, String?)])
    func returnTo(_ wanted: String, _ expected: String?) async throws {
        let text = try await page("/auth/pages/login?return_to=\(wanted)").text
        #expect(text.contains("data-return-to=\"\(expected ?? "/auth/pages/account")\""))
    }

    @Test("where sign-up is closed there is no page for it, and no link to one")
    func closed() async throws {
        try await TestServer { $0.isSignUpOpen = false }.run { browser in
            #expect(try await browser.send(.get, "/auth/pages/signup").status == 404)
            let login = try await browser.send(.get, "/auth/pages/login")
            #expect(login.text.contains("<p class=\"aside\" hidden>"))
        }
    }
}
