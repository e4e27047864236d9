import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import CloakroomEndpoints

/// Which checks the event loop answers, and which the router does.
@Suite struct CheckFastPathTests {
    private let server: TestServer
    private let ann: LoggedIn

    init() async throws {
        server = try TestServer()
        ann = try await LoggedIn(server)
    }

    private func isAnsweredAtOnce(_ request: String) async throws -> Bool {
        try await answersAtOnce([request])[0]
    }

    private func answersAtOnce(_ requests: [String]) async throws -> [Bool] {
        let found = Collected<Bool>()
        try await TwoListeners.run(server) { listeners in
            for request in requests { found.append(contentsOf: try await listeners.answersAtOnce(request)) }
        }
        return found.values
    }

    @Test("live sessions take the fast path, by cookie and bearer, also at their first check; other requests do not")
    func atOnce() async throws {
        let bob = try await LoggedIn(server, as: "bob@example.com")
        let atOnce = [
            ann.check(), bob.check(), LoggedIn.check(["Authorization: Bearer \(ann.access)"]),
            ann.check(["Authorization: Bearer opaque"]), ann.check(["Content-Length: 0"]),
            ann.check(["X-Forwarded-Method: GET"]), ann.check(line: "GET /auth/check?allow=200&max_age=300 HTTP/1.1"),
            ann.check(line: "GET /auth/check;/app HTTP/1.1"),
        ]
        let routed = [
            LoggedIn.check(), ann.check(["Origin: https://evil.example", "Sec-WebSocket-Key: x"]),
            ann.check(["Expect: 100-continue"]), ann.check(["Content-Length: 2"]) + "{}",
            ann.check(["Transfer-Encoding: chunked"]) + "0\r\n\r\n", ann.check(["Upgrade: h2c"]),
            ann.check(["Connection: close"]), ann.check(["Host: localhost"]),
            ann.check(line: "GET /auth/check?refuse HTTP/1.1"), ann.check(line: "HEAD /auth/check HTTP/1.1"),
            ann.check(line: "GET /auth/check HTTP/1.0"), ann.check(line: "GET /healthz HTTP/1.1"),
        ]
        let found = try await answersAtOnce(atOnce + routed)
        #expect(found == atOnce.map { _ in true } + routed.map { _ in false })
    }

    @Test("the counted status is the sent one")
    func countedStatus() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            let requests = [
                ann.check(), ann.check(line: "GET /auth/check?allow=200 HTTP/1.1"),
                ann.check(line: "GET /auth/check;allow=200/app HTTP/1.1"), ann.check(),
            ]
            let answers = try await RawConnection.send(requests, port: listeners.port)
            #expect(answers.map(\.status) == [204, 200, 200, 204])
            #expect(listeners.statusesAtOnce == answers.map(\.status))
        }
    }

    @Test("a revoked session is refused at once, also if it was allowed just before")
    func revocation() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            #expect(try await listeners.answersAtOnce(ann.check()) == [true])
            server.server.sessions.verifier.revocations.insert(ann.session, at: server.uptime)
            let answers = try await RawConnection.send([ann.check()], port: listeners.port)
            #expect(answers[0].status == 401 && answers[0].body.contains("session_revoked"))
            #expect(listeners.answeredAtOnce == 1)
        }
    }

    @Test(
        "an expired access token is renewed on the event loop; the response has the new cookie twice, and no-store"
    )
    func expiry() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            server.advance(.minutes(6))
            let answer = try await RawConnection.send([ann.check()], port: listeners.port)[0]
            #expect(answer.status == 204)
            let set = try #require(answer.header("Set-Cookie"))
            #expect(set.hasPrefix("\(SessionCookie.defaultName)=ey") && answer.header("X-Auth-Set-Cookie") == set)
            #expect(answer.header("Cache-Control") == "no-store" && answer.header("X-Auth-Cache-Control") == "no-store")
            #expect(answer.head.matches(of: /\r\nSet-Cookie:/).count == 1)
            let with200 = ann.check(line: "GET /auth/check?allow=200 HTTP/1.1")
            let lengths = try await RawConnection.send([with200], port: listeners.port)[0].head
                .matches(of: /\r\n[Cc]ontent-[Ll]ength: 0/).count
            #expect(lengths == 1, "Envoy refuses a response with two")
            // A concurrent request of the browser still carries the old cookie: it is served, and gets no new tokens.
            let late = try await RawConnection.send([ann.check()], port: listeners.port)[0]
            #expect(
                late.status == 204 && late.header("Set-Cookie") == nil && late.header("X-Auth-Cache-Control") == nil)
            #expect(late.header("Authorization")?.hasPrefix("Bearer ey") == true)
            #expect(listeners.answeredAtOnce == 3)
        }
    }

    @Test("W22: an access token for a backend is valid for ten more seconds; otherwise it is renewed first")
    func handOverMargin() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            server.advance(.seconds(289))
            // The feed was not read in that time: the first check reads it.
            #expect(try await listeners.answersAtOnce(ann.check(), ann.check()) == [false, true])
            server.advance(.seconds(2))
            let answer = try await RawConnection.send([ann.check()], port: listeners.port)[0]
            #expect(answer.status == 204 && answer.header("Set-Cookie") != nil)
        }
    }

    @Test("after the keys were replaced, tokens that the old ones verified are verified again")
    func keys() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            let verifier = server.server.sessions.verifier
            #expect(try await listeners.answersAtOnce(ann.check()) == [true])
            verifier.replaceKeys(with: server.keys.verifierKeys)
            #expect(try await listeners.answersAtOnce(ann.check()) == [true])
            verifier.replaceKeys(with: try TestServer().keys.verifierKeys)
            let answers = try await RawConnection.send([ann.check()], port: listeners.port)
            #expect(answers[0].status == 401 && answers[0].body.contains("token_invalid"))
        }
    }

    @Test("while the feed of revocations is stale, the fast path answers no request")
    func staleFeed() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            let before = try await listeners.answersAtOnce(ann.check())
            server.advance(.seconds(6))
            let after = try await listeners.answersAtOnce(ann.check(), ann.check())
            #expect(before == [true] && after == [false, true])
        }
    }

    @Test("requests in one segment are answered in their order")
    func pipelining() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            let check = ann.check()
            let health = ann.check(line: "GET /healthz HTTP/1.1")
            let refused = LoggedIn.check()
            let requests = [check, check, refused, check, health, health, check, check]
            let answers = try await RawConnection.send(requests, port: listeners.port)
            let expected = try await RawConnection.send(requests, port: listeners.routerPort)
            #expect(answers.map(\.status) == [204, 204, 401, 204, 200, 200, 204, 204])
            #expect(answers == expected)
            #expect(listeners.answeredAtOnce >= 2)
        }
    }

    @Test("after a response that closes the connection no other is sent")
    func closing() async throws {
        let (server, ann) = (server, ann)
        try await TwoListeners.run(server) { listeners in
            let answers = try await RawConnection.send(
                [ann.check(["Connection: close"]), ann.check()], port: listeners.port)
            #expect(answers.map(\.status) == [204])
        }
    }
}

/// Values that a test collects, in order.
final class Collected<Value: Sendable>: Sendable {
    private let list = Mutex<[Value]>([])
    var values: [Value] { list.withLock { $0 } }
    func append(contentsOf more: [Value]) { list.withLock { $0 += more } }
}

/// The handler alone, on a channel whose state the test controls.
@Suite struct FastPathHandlerTests {
    private let server: TestServer
    private let head: HTTPRequestHead
    private let session: SessionID

    init() async throws {
        server = try TestServer()
        let ann = try await LoggedIn(server)
        session = ann.session
        head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/auth/check",
            headers: [
                "Host": "localhost", "Cookie": "\(SessionCookie.defaultName)=\(ann.cookie)",
                "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/app",
            ])
    }

    private func channel(demandsTLS: Bool = false) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let peer = try #require(AdmittedPeer.admit(channel, trusting: .none))
        let handler = FastPathHandler(
            CheckFastPath(server.server, peer: peer, observe: { _, _ in }),
            deadline: RequestDeadline(limit: .seconds(30)), demandsTLS: demandsTLS, now: server.server.now)
        try channel.pipeline.syncOperations.addHandlers([HTTPResponseEncoder(), handler])
        return channel
    }

    /// Sends the check, and returns whether it was passed on to the router.
    private func isPassedOn(_ channel: EmbeddedChannel, uri: String = "/auth/check") throws -> Bool {
        var head = head
        head.uri = uri
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        var passed = 0
        while try channel.readInbound(as: HTTPServerRequestPart.self) != nil { passed += 1 }
        #expect(passed == 0 || passed == 2)
        return passed == 2
    }

    /// Writes the router's response.
    private func respond(_ channel: EmbeddedChannel) throws {
        try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .noContent)))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
        _ = try sent(channel)
    }

    private func sent(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return text
    }

    @Test("a response has the identity, the security headers and a Date")
    func answer() throws {
        for demandsTLS in [false, true] {
            let channel = try channel(demandsTLS: demandsTLS)
            #expect(try !isPassedOn(channel))
            let text = try sent(channel)
            #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\nX-Auth-Subject: u_"))
            #expect(text.contains("\r\nX-Auth-Session: \(session)\r\nX-Auth-Claims: {}\r\nAuthorization: Bearer ey"))
            #expect(text.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
            #expect(text.contains("\r\nStrict-Transport-Security: ") == demandsTLS)
            #expect(text.hasSuffix("\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n\r\n"))
        }
    }

    @Test("Date is the time of the response, to the second")
    func date() throws {
        let channel = try channel()
        for second in 0..<3 {
            _ = try isPassedOn(channel)
            #expect(try sent(channel).hasSuffix("Date: Fri, 15 Jan 2027 08:00:0\(second) GMT\r\n\r\n"))
            server.advance(.seconds(1))
            server.server.sessions.verifier.revocations.confirm(at: server.uptime, server.now)
        }
    }

    @Test("while a client does not read responses, its requests are passed to the framework")
    func unreadAnswers() throws {
        let channel = try channel()
        channel.isWritable = false
        #expect(try isPassedOn(channel))
        try respond(channel)
        channel.isWritable = true
        #expect(try !isPassedOn(channel))
    }

    @Test("while the router handles a request, no later one of the connection is answered before it")
    func order() throws {
        let channel = try channel()
        #expect(try isPassedOn(channel, uri: "/healthz"))
        #expect(try isPassedOn(channel))
        try respond(channel)
        #expect(try isPassedOn(channel))
        try respond(channel)
        try respond(channel)
        #expect(try !isPassedOn(channel))
    }

    @Test("when a connection closes, sent responses are flushed first, and no other request is answered")
    func quiescing() throws {
        let channel = try channel()
        #expect(try !isPassedOn(channel))
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try sent(channel).hasPrefix("HTTP/1.1 204 "))
        #expect(try isPassedOn(channel))
    }
}
