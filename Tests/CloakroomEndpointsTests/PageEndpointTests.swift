import HTTPTypes
import Hummingbird
import NIOCore
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

    @Test("every script and style has the nonce of its response", arguments: ["login", "signup", "account"])
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
        "return_to is a path on this origin, escaped for its attribute",
        arguments: [
            ("/app", "/app"), ("/app%3Fa=%26b", "/app?a=&amp;b"), ("/%22onx='", "/&quot;onx=&#39;"),
            ("//evil.example", nil), ("https://evil.example", nil), ("/%5Cevil.example", nil), ("javascript:x", nil),
            ("/%3Cscript%3E", "/&lt;script&gt;"), ("", nil),
        ] as [(String, String?)])
    func returnTo(_ wanted: String, _ expected: String?) async throws {
        let text = try await page("/auth/pages/login?return_to=\(wanted)").text
        #expect(text.contains("data-return-to=\"\(expected ?? "/auth/pages/account")\""))
    }

    @Test(
        "item 21: placeholders are filled in one pass: a value with a placeholder stays text",
        arguments: ["nonce", "returnTo", "returnQuery", "signUpHidden", "message", "nothing", ""])
    func placeholders(_ name: String) async throws {
        let (text, policy) = try await page("/auth/pages/login?return_to=/%7B%7B\(name)%7D%7D")
        #expect(text.contains("data-return-to=\"/{{\(name)}}\""))
        let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([\w-]{24})'/)).1
        #expect(!text.contains("/\(nonce)"))
    }

    @Test(
        "a template is filled from left to right with escaped values; a missing value is empty",
        arguments: [
            ("{{a}}", "1"), ("x{{a}}y{{b}}z", "x1y{{a}}z"), ("{{b}}{{a}}", "{{a}}1"),
            ("{{c}}", "&lt;&quot;&#39;&amp;&gt;"),
            ("{{none}}|", "|"), ("{{a}", "{{a}"), ("{a}}", "{a}}"), ("{{{a}}}", "}"), ("", ""), ("{{}}|", "|"),
        ])
    func template(_ template: String, _ expected: String) async throws {
        let response = Page(Array(template.utf8)).response(["a": "1", "b": "{{a}}", "c": "<\"'&>"])
        let writer = Written()
        try await response.body.write(writer)
        #expect(writer.text == expected)
    }

    @Test("with closed sign-up there is neither its page nor a link to it")
    func closed() async throws {
        try await TestServer { $0.isSignUpOpen = false }.run { browser in
            #expect(try await browser.send(.get, "/auth/pages/signup").status == 404)
            let login = try await browser.send(.get, "/auth/pages/login")
            #expect(login.text.contains("<p class=\"aside\" hidden>"))
        }
    }
}

private final class Written: ResponseBodyWriter {
    private var buffer = ByteBuffer()
    var text: String { String(buffer: buffer) }

    func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        self.buffer.writeBuffer(&buffer)
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
