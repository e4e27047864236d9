import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import NIOCore
import Testing

@testable import CloakroomEndpoints

/// Sends a generated corpus of checks to the event loop and to the endpoint, and compares the responses.
@Suite struct CheckCorpusTests {
    /// The values of one header in one request: none, one or several.
    private typealias Values = [String]

    /// The tokens of the browsers in the corpus.
    private struct Tokens {
        let ann: LoggedIn
        let bob: LoggedIn
        /// Tokens that have expired.
        let earlier: LoggedIn

        var cookies: [Values] {
            func cookie(_ value: String) -> String { "\(SessionCookie.defaultName)=\(value)" }
            let (live, other) = (cookie(ann.cookie), cookie(bob.cookie))
            return [
                [], [live], [live, live], [live, other], ["\(live); \(other)"], ["a=b; \(live); c=d"], ["a=b"],
                [live, cookie("x~y")], [cookie("x~y")], [cookie("")], [cookie("~\(ann.refresh)")],
                [cookie("\(ann.access)~\(bob.refresh)")], [cookie("\(ann.access)~")], [cookie(ann.access)],
                [cookie(String(ann.cookie.dropLast(3)))], ["cloakroom-session=\(ann.cookie)"],
                [Array(repeating: live, count: 6).joined(separator: "; ")],
                ["\u{2000}\(live)"], [cookie("\"\(ann.cookie)\"")],
            ]
        }

        var authorizations: [Values] {
            [
                [], ["Bearer \(bob.access)"], ["bearer \(bob.access)"], ["Bearer \(earlier.access)"],
                ["Bearer \(bob.access)x"], ["Bearer \(bob.access)", "Bearer \(bob.access)"], ["Bearer opaque"],
                ["Bearer"], ["Bearer "], ["Basic dTpw"], ["Basic dTpw", "Bearer \(bob.access)"],
                ["Bearer \(bob.refresh)"], ["Bearer  \(bob.access)"], [""],
                ["Bearer \(String(repeating: "x", count: 9000))"],
            ]
        }
    }

    /// The values of a header in the corpus, besides its absence.
    private static func values(_ name: DecidingHeaders.Name, _ tokens: Tokens) -> [Values] {
        switch name {
        case .cookie: tokens.cookies
        case .authorization: tokens.authorizations
        case .origin:
            [
                [], ["http://localhost"], ["https://front.example"], ["https://evil.example"], ["null"], [""],
                ["http://localhost", "http://localhost"], ["http://localhost", "https://evil.example"],
                ["https://front.example/"], ["HTTP://LOCALHOST"],
            ]
        case .secFetchSite:
            [[], ["same-origin"], ["cross-site"], ["same-site"], ["none"], [""], ["x"], ["same-origin", "cross-site"]]
        case .secFetchMode: [[], ["navigate"], ["cors"], ["same-origin"], ["websocket"], ["navigate", "cors"], [""]]
        case .upgrade: [[], ["websocket"], ["h2c"], ["foo, WebSocket/13"], ["h2c", "websocket"], [""]]
        case .secWebSocketKey: [[], ["dGhlIHNhbXBsZSBub25jZQ=="], [""]]
        case .serviceWorker: [[], ["script"], [""], ["script", "script"]]
        case .upgradeInsecureRequests: [[], ["1"], ["0"]]
        case .referer: [[], ["http://localhost/app"], ["https://evil.example/"], ["http://localhost.evil.example/"]]
        case .xsrfToken: [[], ["x"], ["", ""]]
        case .userAgent:
            [
                [], ["Mozilla/5.0 AppleWebKit/605.1.15 Safari/605"], ["curl/8"], [""],
                ["Chrome/1 AppleWebKit/537"], ["x", "AppleWebKit/605"], [String(repeating: "u", count: 5000)],
            ]
        case .accept: [[], ["text/html"], ["*/*"], ["application/json", "text/html"]]
        case .accessControlRequestMethod: [[], ["POST"], [""]]
        case .xForwardedMethod:
            [
                ["GET"], [], ["POST"], ["OPTIONS"], ["HEAD"], ["get"], [""], ["GET", "GET"], ["GET", "POST"],
                ["PROPFIND"], ["G T"], [String(repeating: "A", count: 33)],
            ]
        case .xOriginalMethod: [[], ["GET"], ["POST"], [""], ["GET", "POST"]]
        case .xForwardedUri:
            [
                ["/app?a=b"], [], ["/"], ["/auth/session"], ["/%"], ["/\\?\\"], ["/\u{E4}"], ["//evil.example"], ["*"],
                ["app"], [""], ["/app", "/app"], ["/app", "/other"], ["/" + String(repeating: "a", count: 8000)],
                ["http://evil.example/"],
            ]
        case .xOriginalURI: [[], ["/app?a=b"], ["/other"], [""]]
        case .xForwardedHost:
            [
                [], ["localhost"], ["localhost:8080"], ["evil.example"], ["127.0.0.1"], ["localhost", "evil.example"],
                [""], ["LOCALHOST"], ["[::1]"],
            ]
        case .xForwardedProto: [[], ["http"], ["https"], ["WSS"], ["ws"], ["ftp"], [""], ["http", "https"]]
        }
    }

    private static let lines = [
        "GET /auth/check?max_age=3600 HTTP/1.1", "GET /auth/check?max_age=0 HTTP/1.1",
        "GET /auth/check?max_age=x HTTP/1.1", "GET /auth/check?max_age=1&max_age=1 HTTP/1.1",
        "GET /auth/check?acr=1 HTTP/1.1", "GET /auth/check?acr=2 HTTP/1.1", "GET /auth/check?acr=9 HTTP/1.1",
        "GET /auth/check?allow=200 HTTP/1.1", "GET /auth/check?allow=204 HTTP/1.1",
        "GET /auth/check?login=/in HTTP/1.1", "GET /auth/check?login=//evil.example HTTP/1.1",
        "GET /auth/check?login=%2Fin%3Fa&allow=200 HTTP/1.1", "GET /auth/check?refuse HTTP/1.1",
        "GET /auth/check?unknown HTTP/1.1", "GET /auth/check? HTTP/1.1", "GET /auth/check?& HTTP/1.1",
        "GET /auth/check;allow=200;max_age=300/app?a=b HTTP/1.1", "GET /auth/check;/app HTTP/1.1",
        "GET /auth/check; HTTP/1.1", "GET /auth/check;allow=200 HTTP/1.1",
        "GET /auth/check;max_age=0/a;allow=200/b HTTP/1.1",
        "POST /auth/check;/app HTTP/1.1", "OPTIONS /auth/check;/app HTTP/1.1", "DELETE /auth/check HTTP/1.1",
        "HEAD /auth/check HTTP/1.1", "POST /auth/check HTTP/1.1", "OPTIONS /auth/check HTTP/1.1",
        "GET /auth/check HTTP/1.0", "GET /auth/checks HTTP/1.1", "GET /auth/check/ HTTP/1.1",
        "GET /auth/check/app HTTP/1.1", "GET /AUTH/check HTTP/1.1", "GET /auth/%63heck HTTP/1.1",
        "GET http://localhost/auth/check HTTP/1.1", "GET //auth/check HTTP/1.1", "GET /auth/check#x HTTP/1.1",
        "GET /metrics HTTP/1.1", "GET /healthz HTTP/1.1", "GET /auth/session HTTP/1.1", "PATCH /metrics HTTP/1.1",
    ]

    /// The corpus: pairs of related headers with all combinations of their values, each header alone, and each
    /// request line.
    private static func corpus(_ tokens: Tokens) -> [String] {
        let pairs: [(DecidingHeaders.Name, DecidingHeaders.Name)] = [
            (.cookie, .authorization), (.origin, .xForwardedMethod), (.origin, .secFetchSite),
            (.secFetchMode, .upgradeInsecureRequests), (.cookie, .userAgent), (.upgrade, .origin),
            (.xForwardedMethod, .xOriginalMethod), (.xForwardedUri, .xOriginalURI),
            (.accessControlRequestMethod, .xForwardedMethod), (.secFetchMode, .accept),
        ]
        let alone = DecidingHeaders.Name.allCases.flatMap { name in
            values(name, tokens).map { request([name: $0], tokens) }
        }
        let together = pairs.flatMap { one, other in
            values(one, tokens).flatMap { first in
                values(other, tokens).map { request([one: first, other: $0], tokens) }
            }
        }
        let unsafe = DecidingHeaders.Name.allCases.filter { $0 != .xForwardedMethod }.flatMap { name in
            values(name, tokens).map { request([name: $0, .xForwardedMethod: ["POST"]], tokens) }
        }
        let login = tokens.cookies.map {
            request([.cookie: $0, .secFetchMode: ["navigate"]], tokens, line: "GET /auth/check?login=/in HTTP/1.1")
        }
        return alone + together + unsafe + login + lines.map { request([:], tokens, line: $0) }
    }

    private static func request(
        _ headers: [DecidingHeaders.Name: Values], _ tokens: Tokens, line: String = "GET /auth/check HTTP/1.1"
    ) -> String {
        let usual: [DecidingHeaders.Name: Values] = [
            .cookie: tokens.cookies[1], .xForwardedMethod: ["GET"], .xForwardedUri: ["/app?a=b"],
        ]
        let all = usual.merging(headers) { $1 }.sorted { $0.key.rawValue < $1.key.rawValue }
        let fields = all.flatMap { name, values in values.map { "\(name.text): \($0)" } }
        return ([line, "Host: localhost"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func server() throws -> TestServer {
        try TestServer { configuration in
            configuration.trustedOrigins = Set(["https://front.example"].compactMap { OriginPattern(parsing: $0) })
            configuration.serviceWorkers = ["/app"]
            configuration.givesXSRFCookie = true
        }
    }

    @Test("the fast path sends exactly the bytes of the endpoint's response, or passes the request to the endpoint")
    func same() async throws {
        let server = try Self.server()
        let earlier = try await LoggedIn(server, as: "earlier@example.com")
        server.advance(.minutes(6))
        let tokens = Tokens(
            ann: try await LoggedIn(server), bob: try await LoggedIn(server, as: "bob@example.com"), earlier: earlier)
        let corpus = Self.corpus(tokens)
        #expect(corpus.count > 800)
        try await TwoListeners.run(server) { listeners in
            let answers = try await RawConnection.converse(corpus, port: listeners.port)
            let expected = try await RawConnection.converse(corpus, port: listeners.routerPort)
            try #require(answers.count == corpus.count && expected.count == corpus.count)
            for (request, (answer, other)) in zip(corpus, zip(answers, expected)) {
                // The listener decides which connections close, and the router alone has none.
                #expect(answer.without("connection") == other.without("connection"), "\(request)")
                #expect(answer.hasDate)
            }
            let allowed = expected.count { $0.status == 204 }
            #expect(allowed > 100 && expected.count { $0.status == 401 } > 50)
            #expect(expected.count { $0.status == 400 } > 50 && expected.count { $0.status == 403 } > 50)
            #expect(listeners.answeredAtOnce > allowed / 2, "and most of what is allowed is answered at once")
        }
    }

    @Test("ten thousand user agents and trace headers are all answered by the fast path, with the same response")
    func headersThatDoNotCount() async throws {
        let server = try TestServer()
        let ann = try await LoggedIn(server)
        try await TwoListeners.run(server) { listeners in
            let expected = try await RawConnection.send([ann.check()], port: listeners.port)
            let before = listeners.answeredAtOnce
            let requests = (0..<10_000).map { number in
                ann.check([
                    "User-Agent: Mozilla/5.0 (X11; Linux) Gecko/\(number) Firefox/\(number)",
                    "traceparent: 00-\(Self.hex(number, digits: 32))-\(Self.hex(number, digits: 16))-01",
                    "tracestate: vendor=\(number)", "baggage: user=\(number)", "X-Request-Id: \(number)",
                    "X-Forwarded-For: 203.0.113.\(number % 250)", "Accept-Language: x-\(number)",
                    "X-Custom-\(number): 1",
                ])
            }
            let began = ContinuousClock.now
            let answers = try await RawConnection.converse(requests, port: listeners.port)
            #expect(answers.count == requests.count)
            #expect(Set(answers) == Set(expected))
            // Every twenty seconds one check goes through the framework, so that the framework does not close the
            // connection as idle.
            let shown =
                1 + (ContinuousClock.now - began).components.seconds
                / (FastPathLimits.longestHidden.nanoseconds / 1_000_000_000)
            #expect(listeners.answeredAtOnce - before >= requests.count - Int(shown))
        }
    }

    private static func hex(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    @Test("a header name may be in any case, and other headers change nothing")
    func names() {
        for name in DecidingHeaders.Name.allCases {
            for text in [name.text, name.text.lowercased(), name.text.uppercased()] {
                let headers = DecidingHeaders([(name: text, value: "1"), (name: text, value: "2")])
                #expect(headers[name] == "1" && headers.values(name) == ["1", "2"])
                for other in DecidingHeaders.Name.allCases where other != name { #expect(headers[other] == nil) }
            }
            // The name with bit 6 (0x40) of one byte flipped.
            for index in name.text.utf8.indices {
                var bytes = Array(name.text.utf8)
                bytes[name.text.utf8.distance(from: name.text.utf8.startIndex, to: index)] ^= 0x40
                let headers = DecidingHeaders([(name: String(decoding: bytes, as: UTF8.self), value: "1")])
                #expect(headers[name] == nil, "\(bytes)")
            }
        }
        for text in ["", "Cooki", "Cookies", "X-Forwarded-Uri ", "X_Forwarded_Uri", "X-Forwarded-For", "Host"] {
            let headers = DecidingHeaders([(name: text, value: "1")])
            #expect(DecidingHeaders.Name.allCases.allSatisfy { headers[$0] == nil }, "\(text)")
        }
    }
}
