import CloakroomCore
import CloakroomMiddleware
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import CloakroomEndpoints

/// `POST /auth/refresh` on the event loop, beside the same endpoint on the router.
@Suite struct RenewalFastPathTests {
    private let server: TestServer

    init() throws {
        let front = try #require(OriginPattern(parsing: "https://front.example"))
        server = try TestServer { configuration in
            configuration.trustedOrigins = [front]
            configuration.givesXSRFCookie = true
        }
    }

    private static func unusedAddress() -> String { "\(UUID())@example.com" }

    /// A request of a browser with this cookie.
    private static func renewal(
        _ cookie: String?, _ more: [String] = sameOrigin, line: String = "POST /auth/refresh HTTP/1.1",
        host: String = "localhost", body: String = ""
    ) -> String {
        let held = cookie.map { ["Cookie: theme=dark; \(SessionCookie.defaultName)=\($0)"] } ?? []
        return ([line, "Host: \(host)"] + held + more + ["Content-Length: \(body.utf8.count)"])
            .joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    private static let sameOrigin = ["Origin: http://localhost", "Sec-Fetch-Site: same-origin"]

    @Test("both ways answer alike, and only requests that the store decides take the fast one", arguments: Case.all)
    fileprivate func alike(_ row: Case) async throws {
        let server = server
        try await FastAndRouted.run(server) { listeners in
            let fast = try await listeners.answers(to: row, on: listeners.port)
            let before = listeners.answeredAtOnce
            let routed = try await listeners.answers(to: row, on: listeners.routerPort)
            #expect(fast == routed)
            #expect(fast.map(\.status) == row.statuses)
            #expect(listeners.answeredAtOnce == before, "the router's listener has no fast path")
            #expect(before == (row.isFast ? row.statuses.count : 0))
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let statuses: [Int]
        let isFast: Bool
        let requests: @Sendable (LoggedIn) -> [String]

        init(_ name: String, _ statuses: [Int], isFast: Bool, _ requests: @escaping @Sendable (LoggedIn) -> [String]) {
            (testDescription, self.statuses, self.isFast, self.requests) = (name, statuses, isFast, requests)
        }

        static let all = [
            Case("a renewal, then two stragglers", [200, 200, 200], isFast: true) { ann in
                Array(repeating: renewal(ann.cookie), count: 3)
            },
            Case("without Origin", [200], isFast: true) { [renewal($0.cookie, ["Sec-Fetch-Site: same-origin"])] },
            Case("from a trusted origin", [200], isFast: true) {
                [renewal($0.cookie, ["Origin: https://front.example", "Sec-Fetch-Site: same-site"])]
            },
            Case("with a foreign bearer token", [200], isFast: true) {
                [renewal($0.cookie, sameOrigin + ["Authorization: Bearer opaque"])]
            },
            Case("with a broken access token beside the refresh token", [200], isFast: true) {
                [renewal("x.y.z~\($0.refresh)")]
            },
            Case("from a foreign origin", [403], isFast: false) {
                [renewal($0.cookie, ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"])]
            },
            Case("for a foreign host", [421], isFast: false) { [renewal($0.cookie, host: "evil.example")] },
            Case("with two origins", [403], isFast: false) {
                [renewal($0.cookie, sameOrigin + ["Origin: http://localhost"])]
            },
            Case("with a wrong XSRF token", [403], isFast: false) {
                [renewal($0.cookie, sameOrigin + ["X-XSRF-TOKEN: wrong"])]
            },
            Case("of a service worker's script", [403], isFast: false) {
                [renewal($0.cookie, sameOrigin + ["Service-Worker: script"])]
            },
            Case("without a cookie", [401], isFast: false) { _ in [renewal(nil)] },
            Case("with a forged refresh token", [401], isFast: false) { [renewal("\($0.cookie.dropLast(4))AAAA")] },
            Case("with two cookies", [401], isFast: false) { ann in
                [renewal("\(ann.cookie); \(SessionCookie.defaultName)=\(ann.cookie)")]
            },
            Case("with an empty object in the body", [200], isFast: false) {
                [renewal($0.cookie, sameOrigin + ["Content-Type: application/json"], body: "{}")]
            },
            Case("with a query", [200], isFast: false) {
                [renewal($0.cookie, line: "POST /auth/refresh?a=b HTTP/1.1")]
            },
            Case("as GET", [405], isFast: false) { [renewal($0.cookie, line: "GET /auth/refresh HTTP/1.1")] },
        ]
    }

    @Test("what follows a renewal in the same segment is answered behind it")
    func pipelining() async throws {
        let server = server
        try await FastAndRouted.run(server) { listeners in
            let ann = try await LoggedIn(server, as: Self.unusedAddress())
            let session = Self.renewal(ann.cookie, line: "GET /auth/session HTTP/1.1")
            let requests = [
                session, Self.renewal(ann.cookie), session, Self.renewal(ann.cookie), Self.renewal(nil), session,
            ]
            let answers = try await RawConnection.send(requests, port: listeners.port)
            #expect(answers.map(\.status) == [200, 200, 200, 200, 401, 200])
            let renewed = answers.map { $0.body.firstRange(of: "\"rotated\":true") != nil }
            #expect(renewed == [false, true, false, false, false, false])
        }
    }

    @Test("what cannot be parsed behind a renewal is refused behind its response")
    func malformedNext() async throws {
        let server = server
        try await FastAndRouted.run(server) { listeners in
            let ann = try await LoggedIn(server, as: Self.unusedAddress())
            let text = try await RawConnection(port: listeners.port).use { writer, reader in
                try await writer.write(ByteBuffer(string: Self.renewal(ann.cookie) + "\u{0}GARBAGE\r\n\r\n"))
                return try await reader.rest()
            }
            let statuses = text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
            #expect(statuses == ["200", "400"])
        }
    }

    @Test("a client that sends no more gets the response to what it sent")
    func halfClosed() async throws {
        let server = server
        try await FastAndRouted.run(server) { listeners in
            for _ in 0..<20 {
                let ann = try await LoggedIn(server, as: Self.unusedAddress())
                let text = try await RawConnection(port: listeners.port).use { writer, reader in
                    try await writer.write(ByteBuffer(string: Self.renewal(ann.cookie)))
                    writer.finish()
                    return try await reader.rest()
                }
                #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("}"))
            }
        }
    }

    @Test("a session that was revoked is refused on the event loop, with the problem and headers of the router")
    func revoked() async throws {
        let server = server
        try await FastAndRouted.run(server) { listeners in
            let ann = try await LoggedIn(server, as: Self.unusedAddress())
            let logout = Self.renewal(ann.cookie, line: "POST /auth/logout HTTP/1.1")
            _ = try await RawConnection.send([logout], port: listeners.port)
            let fast = try await RawConnection.send([Self.renewal(ann.cookie)], port: listeners.port)
            let routed = try await RawConnection.send([Self.renewal(ann.cookie)], port: listeners.routerPort)
            #expect(fast.map(\.status) == [401] && listeners.answeredAtOnce == 1)
            #expect(fast.map(FastAndRouted.comparable) == routed.map(FastAndRouted.comparable))
        }
    }
}

/// One authorization server on two public listeners: one answers renewals on the event loop, the other leaves them to the
/// router.
private struct FastAndRouted {
    let server: TestServer
    let port: Int
    let routerPort: Int
    private let counted: Counter

    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    var answeredAtOnce: Int { counted.value.withLock { $0 } }

    static func run(
        _ server: TestServer, _ test: @escaping @Sendable (FastAndRouted) async throws -> Void
    ) async throws {
        let counter = Counter()
        let fast = HTTPServerBuilder { responder in
            ListenerChannel.publicEndpoints(
                server.server, .init(), responder, observing: { _, _ in counter.value.withLock { $0 += 1 } })
        }
        try await Application(router: server.router(), server: fast).test(.live) { client in
            let port = try #require(client.port)
            try await server.runPublicly { routerPort, _ in
                try await test(FastAndRouted(server: server, port: port, routerPort: routerPort, counted: counter))
            }
        }
    }

    /// The answers to the requests of a new session, without what differs from session to session.
    func answers(to row: RenewalFastPathTests.Case, on port: Int) async throws -> [RawConnection.Answer] {
        let ann = try await LoggedIn(server, as: "\(UUID())@example.com")
        return try await RawConnection.converse(row.requests(ann), port: port).map(Self.comparable)
    }

    /// The order of headers means nothing, and ids and tokens are random.
    static func comparable(_ answer: RawConnection.Answer) -> RawConnection.Answer {
        var answer = answer
        let lines = answer.head.split(separator: "\r\n").map { $0.lowercased() }
        let comparable = lines.dropFirst().map { line in
            line.hasPrefix("set-cookie:") ? line.replacing(/=[^;]+~[^;]+;/, with: "=;", maxReplacements: 1) : line
        }
        answer.head = ([lines[0]] + comparable.sorted()).joined(separator: "\r\n")
        return RawConnection.Answer(
            head: answer.head, body: answer.body.replacing(/"(id|email)":"[^"]+"/, with: ""), hasDate: answer.hasDate)
    }
}
