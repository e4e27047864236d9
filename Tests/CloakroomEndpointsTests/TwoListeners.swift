import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Synchronization
import Testing

@testable import CloakroomEndpoints

/// Runs one authorization server on two private listeners: one answers on the event loop what it can, the other
/// leaves all checks to the router and so shows the endpoint's responses.
struct TwoListeners {
    let server: TestServer
    let port: Int
    let routerPort: Int
    private let answered: Counter

    private final class Counter: Sendable {
        private let list = Mutex<[Int]>([])
        var statuses: [Int] { list.withLock { $0 } }
        func add(_ status: Int) { list.withLock { $0.append(status) } }
    }

    /// The number of responses from the event loop.
    var answeredAtOnce: Int { answered.statuses.count }
    /// The statuses of the responses from the event loop.
    var statusesAtOnce: [Int] { answered.statuses }

    static func run(
        _ server: TestServer, _ test: @escaping @Sendable (TwoListeners) async throws -> Void
    ) async throws {
        let answered = Counter()
        try await server.runPrivately(observing: { status, _ in answered.add(status) }) { port in
            let byRouter = Application(
                router: server.privateRouter(),
                server: HTTPServerBuilder {
                    ListenerChannel.privateEndpoints(server.server, .init(), $0, answersAtOnce: false)
                })
            try await byRouter.test(.live) { router in
                try await test(
                    TwoListeners(
                        server: server, port: port, routerPort: try #require(router.port), answered: answered))
            }
        }
    }

    /// Sends the requests one after the other, and returns for each whether the event loop answered it.
    func answersAtOnce(_ requests: String...) async throws -> [Bool] {
        var atOnce: [Bool] = []
        for request in requests {
            let before = answeredAtOnce
            _ = try await RawConnection.send([request], port: port)
            atOnce.append(answeredAtOnce > before)
        }
        return atOnce
    }
}

/// The tokens of a browser after login.
struct LoggedIn: Sendable {
    /// The value of the cookie.
    let cookie: String
    let session: SessionID

    init(_ server: TestServer, as email: String = "ann@example.com") async throws {
        let kept = Mutex<(String, String)?>(nil)
        try await server.run { browser in
            let id = try await browser.signUp(email).session["id"]?.stringValue
            let cookie = browser.cookie
            kept.withLock { kept in kept = cookie.flatMap { cookie in id.map { (cookie, $0) } } }
            // The first authorized request reads the feed of revocations.
            try await browser.send(.get, "/mine")
        }
        let (cookie, id) = try #require(kept.withLock { $0 })
        self.cookie = cookie
        session = SessionID(id)
    }

    var access: String { String(cookie.prefix { $0 != "~" }) }
    var refresh: String { String(cookie.drop { $0 != "~" }.dropFirst()) }

    /// The lines of a check as a proxy sends it for a request of this browser.
    func check(_ more: [String] = [], line: String = "GET /auth/check HTTP/1.1") -> String {
        Self.check(["Cookie: \(SessionCookie.defaultName)=\(cookie)"] + more, line: line)
    }

    /// As `check`, for a request without cookie.
    static func check(_ more: [String] = [], line: String = "GET /auth/check HTTP/1.1") -> String {
        let told = ["X-Forwarded-Method: GET", "X-Forwarded-Uri: /app?a=b"]
        return ([line, "Host: localhost"] + told + more).joined(separator: "\r\n") + "\r\n\r\n"
    }
}
