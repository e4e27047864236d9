import CloakroomCore
import CloakroomMiddleware
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

@Suite struct CheckEndpointTests {
    @Test("a live session is allowed, and the upstream is told whose it is")
    func allows() async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let answer = try await browser.send(.get, "/auth/check")
            #expect(answer.status == 204)
            #expect(answer.headers[.authorization]?.hasPrefix("Bearer ey") == true)
            #expect(answer.headers[.known("X-Auth-Subject")]?.hasPrefix("u_") == true)
            #expect(answer.headers[.known("X-Auth-Session")] != nil)
        }
    }

    @Test("script in the page cannot read the token from it")
    func tellsScriptNothing() async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let answer = try await browser.send(.get, "/auth/check", headers: [.secFetchMode: "cors"])
            #expect(answer.status == 204)
            #expect(answer.headers[.authorization] == nil)
        }
    }

    @Test("a renewal on the way comes as one Set-Cookie, and again under a name that proxies relay")
    func relaysRenewal() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await browser.signUp()
            server.advance(.minutes(6))
            let answer = try await browser.send(.get, "/auth/check")
            #expect(answer.setCookies.count == 1)
            #expect(answer.headers[.known("X-Auth-Set-Cookie")] == answer.setCookies.first)
        }
    }

    @Test("forwarded headers from a peer that is not trusted are refused")
    func untrusted() async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let answer = try await browser.send(.get, "/auth/check", headers: [.known("X-Forwarded-Uri"): "/"])
            #expect(answer.status == 403)
            #expect(answer.code == "untrusted_proxy")
        }
    }

    @Test("no script of Cloakroom's own can be made a service worker")
    func ownScripts() async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, "/auth/client.js", headers: [.serviceWorker: "script"])
            #expect(answer.status == 403 && answer.code == "service_worker_refused")
        }
    }

    @Test(
        "a person at a browser is shown the way to the login page and back",
        arguments: [
            ("/auth/check?login=/login", "/login?return_to=/"),
            ("/auth/check?login=/login?a=b", "/login?a=b&return_to=/"),
        ])
    func redirects(_ uri: String, _ location: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(.get, uri, headers: [.secFetchMode: "navigate"])
            #expect(answer.status == 302)
            #expect(answer.headers[.location] == location)
            #expect(try await browser.send(.get, uri).status == 401)
        }
    }

    @Test(
        "a login page on another origin is refused",
        arguments: ["//evil.example", "/%5Cevil", "https://evil.example", "/a%0D%0Ab", "%2F%2Fevil.example"])
    func refusesOpenRedirects(_ login: String) async throws {
        try await TestServer().run { browser in
            let answer = try await browser.send(
                .get, "/auth/check?login=\(login)", headers: [.secFetchMode: "navigate"])
            #expect(answer.status == 400)
        }
    }

    @Test(
        "a path that stays on its origin is told from one that does not",
        arguments: [
            ("/", true), ("/a/b?c=d", true), ("/a%20b", true), ("//evil", false), ("/\\evil", false), ("/a#b", false),
            ("/%zz", false), ("/%2", false), ("", false), ("a", false), ("/\u{E9}", false), ("/a b", false),
            ("/a\tb", false),
        ])
    func sameOriginPath(_ path: String, _ expected: Bool) {
        #expect(SameOriginPath.isSafe(path) == expected)
    }
}

@Suite struct ForwardedRequestTests {
    @Test("the original request is read from either proxy's headers")
    func reads() throws {
        let traefik = try ForwardedRequest([
            .known("X-Forwarded-Method"): "POST", .known("X-Forwarded-Uri"): "/a?b", .known("X-Forwarded-Host"): "h",
        ])
        #expect(traefik?.method == "POST" && traefik?.uri == "/a?b" && traefik?.host == "h")
        let nginx = try ForwardedRequest([.known("X-Original-Method"): "GET", .known("X-Original-URI"): "/a"])
        #expect(nginx?.method == "GET" && nginx?.uri == "/a")
        let none = try ForwardedRequest([:])
        #expect(none == nil)
    }

    @Test(
        "what is malformed, twice or contradictory is refused",
        arguments: [
            [("X-Forwarded-Uri", "/%zz")], [("X-Forwarded-Uri", "a")], [("X-Forwarded-Method", "get")],
            [("X-Forwarded-Method", "")], [("X-Forwarded-Proto", "ftp")],
            [("X-Forwarded-Method", "GET"), ("X-Original-Method", "POST")],
            [("X-Forwarded-Uri", "/a"), ("X-Forwarded-Uri", "/b")],
        ])
    func refuses(_ headers: [(String, String)]) throws {
        var fields = HTTPFields()
        for (name, value) in headers { fields.append(HTTPField(name: .known(name), value: value)) }
        #expect(throws: Denial.self) { try ForwardedRequest(fields) }
    }
}
