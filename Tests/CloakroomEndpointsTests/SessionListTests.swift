import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

@Suite struct SessionListTests {
    private static let login: JSONValue = ["email": "ann@example.com", "password": .string(TestServer.password)]

    /// Signs up and logs in until there are `count` sessions. The browser has the cookie of the last one.
    private func sessions(_ count: Int, in browser: Browser, of server: TestServer) async throws {
        try await browser.signUp()
        for _ in 1..<count {
            server.advance(.seconds(1))
            browser.cookie = nil
            try await browser.send(.post, "/auth/login", Self.login)
        }
    }

    @Test("the list of sessions has pages with `next` while there is more, also if sessions end in between")
    func pages() async throws {
        let server = try TestServer()
        try await server.run { browser in
            try await sessions(7, in: browser, of: server)
            var (path, seen): (String?, [String]) = ("/auth/sessions?limit=3", [])
            while let current = path, seen.count < 20 {
                let answer = try await browser.send(.get, current)
                let ids = answer.sessions.compactMap { $0.objectValue?["id"]?.stringValue }
                #expect(answer.status == 200)
                seen += ids
                path = answer.next.map { "/auth/sessions?limit=3&after=\($0)" }
                guard path != nil, let last = ids.last else { break }
                try await browser.send(.delete, "/auth/sessions/\(last)")
            }
            #expect(seen.count == 7 && Set(seen).count == 7)
        }
    }

    @Test("a page has at most a hundred sessions, also by default")
    func hundred() async throws {
        let server = try TestServer { $0.maximumSessions = 200 }
        try await server.run { browser in
            try await sessions(102, in: browser, of: server)
            let first = try await browser.send(.get, "/auth/sessions")
            #expect(first.sessions.count == 100)
            let rest = try await browser.send(.get, "/auth/sessions?after=\(first.next ?? "")")
            #expect(rest.sessions.count == 2 && rest.next == nil)
        }
    }

    @Test(
        "a bad parameter is named",
        arguments: [
            ("limit=0", "limit"), ("limit=101", "limit"), ("limit=-1", "limit"), ("limit=", "limit"),
            ("limit", "limit"),
            ("limit=x", "limit"), ("limit=1.5", "limit"), ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"), ("after=", "after"), ("after=x", "after"), ("after=%00", "after"),
            ("after=..%2F", "after"), ("limit=0&after=x", "after limit"),
        ])
    func refused(_ query: String, _ names: String) async throws {
        try await TestServer().run { browser in
            try await browser.signUp()
            let answer = try await browser.send(.get, "/auth/sessions?\(query)")
            #expect(answer.status == 400 && answer.code == "invalid_request")
            let errors = answer.json.objectValue?["errors"]?.objectValue ?? [:]
            #expect(errors.members.map(\.name).sorted().joined(separator: " ") == names)
        }
    }

    @Test("a login beyond maxSessions ends the session that was unused for longest")
    func bounded() async throws {
        let server = try TestServer { $0.maximumSessions = 2 }
        try await server.run { browser in
            try await browser.signUp()
            let first = browser.cookie
            for _ in 0..<2 {
                server.advance(.seconds(1))
                browser.cookie = nil
                try await browser.send(.post, "/auth/login", Self.login)
            }
            #expect(try await browser.send(.get, "/auth/sessions").sessions.count == 2)
            #expect(try await browser.send(.post, "/auth/refresh", cookie: first).code == "session_revoked")
        }
    }

    @Test("sign-ups beyond the network's limit get 429 with Retry-After")
    func signUps() async throws {
        try await TestServer { $0.signUpsPerHour = 2 }.run { browser in
            for name in ["ann", "ann"] { try await browser.signUp("\(name)@example.com") }
            let refused = try await browser.signUp("bob@example.com")
            #expect(refused.status == 429 && refused.code == "rate_limited")
            #expect(refused.headers[.retryAfter] == "1800")
        }
    }
}

extension Browser.Answer {
    fileprivate var sessions: [JSONValue] { json.objectValue?["sessions"]?.arrayValue ?? [] }
    fileprivate var next: String? { json.objectValue?["next"]?.stringValue }
}
