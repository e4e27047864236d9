import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import CloakroomEndpoints

/// The handler alone, on a channel whose state the test decides.
@Suite struct CheckHandlerChannelTests {
    private let server: TestServer
    private let head: HTTPRequestHead
    private let access: VerifiedAccess

    init() async throws {
        let server = try TestServer()
        self.server = server
        let cookies = Cookies()
        try await server.run { browser in
            try await browser.signUp()
            // The feed is read with the first request.
            try await browser.send(.get, "/auth/check")
            await cookies.keep(browser.cookie)
        }
        let cookie = try #require(await cookies.value)
        access = try #require(server.server.authorizer.liveAccess(ofCookie: Array(cookie.utf8)))
        head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/auth/check",
            headers: ["Host": "localhost", "Cookie": "\(SessionCookie.name)=\(cookie)"])
    }

    private actor Cookies {
        var value: String?
        func keep(_ cookie: String?) { value = cookie }
    }

    private func channel(capacity: Int = 16) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        let handler = CheckHandler(
            KnownChecks(server.server.authorizer, capacity: capacity), now: server.server.now, observe: { _ in })
        try channel.pipeline.syncOperations.addHandlers([HTTPResponseEncoder(), handler])
        return channel
    }

    /// Sends the question, and says whether it was passed on to the framework.
    private func isPassedOn(_ channel: EmbeddedChannel, host: String = "localhost") throws -> Bool {
        var head = head
        head.headers.replaceOrAdd(name: "Host", value: host)
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        var passed = 0
        while try channel.readInbound(as: HTTPServerRequestPart.self) != nil { passed += 1 }
        #expect(passed == 0 || passed == 2)
        return passed == 2
    }

    /// What the endpoint would say.
    private func respond(_ channel: EmbeddedChannel, _ extra: HTTPHeaders = [:]) throws {
        var headers: HTTPHeaders = [
            "X-Auth-Subject": access.subject.rawValue, "X-Auth-Session": access.session.rawValue,
        ]
        headers.add(contentsOf: extra)
        try channel.writeOutbound(
            HTTPServerResponsePart.head(.init(version: .http1_1, status: .noContent, headers: headers)))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
        _ = try sent(channel)
    }

    private func sent(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return text
    }

    @Test("a question is learnt from its answer and answered from then on")
    func learns() throws {
        let channel = try channel()
        #expect(try isPassedOn(channel))
        try respond(channel)
        #expect(try !isPassedOn(channel))
        let text = try sent(channel)
        #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\nX-Auth-Subject: \(access.subject)\r\n"))
        #expect(text.hasSuffix(" GMT\r\n\r\n"))
    }

    @Test("kinds of questions beyond the bound push out those before them")
    func bounded() throws {
        let channel = try channel(capacity: 2)
        for host in ["a", "b"] {
            #expect(try isPassedOn(channel, host: host))
            try respond(channel)
        }
        #expect(try !isPassedOn(channel, host: "a"))
        _ = try sent(channel)
        #expect(try isPassedOn(channel, host: "c"))
        try respond(channel)
        #expect(try !isPassedOn(channel, host: "c"))
        _ = try sent(channel)
        #expect(try isPassedOn(channel, host: "a"))
    }

    @Test("who does not read the answers is left to the framework, until they do")
    func unreadAnswers() throws {
        let channel = try channel()
        #expect(try isPassedOn(channel))
        try respond(channel)
        channel.isWritable = false
        #expect(try isPassedOn(channel))
        try respond(channel)
        channel.isWritable = true
        #expect(try !isPassedOn(channel))
    }

    @Test("while a request is on the long way, none that comes after it is answered first")
    func order() throws {
        let channel = try channel()
        #expect(try isPassedOn(channel))
        try respond(channel)
        let slow = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["Host": "localhost"])
        try channel.writeInbound(HTTPServerRequestPart.head(slow))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        for _ in 0..<2 { #expect(try channel.readInbound(as: HTTPServerRequestPart.self) != nil) }
        #expect(try isPassedOn(channel))
    }

    @Test(
        "an answer that is somebody else's, says more than ours, or sets a cookie teaches nothing",
        arguments: [
            ["X-Auth-Subject": "u_other"], ["X-Auth-Session": "other"], ["Authorization": "Bearer other"],
            ["Set-Cookie": "a=b"], ["X-Greeting": "hello"],
        ] as [HTTPHeaders])
    func teachesNothing(_ extra: HTTPHeaders) throws {
        let channel = try channel()
        #expect(try isPassedOn(channel))
        try respond(channel, extra)
        #expect(try isPassedOn(channel))
    }

    @Test("when the connection is to be closed, what was answered is sent first and nothing more is answered")
    func quiescing() throws {
        let channel = try channel()
        #expect(try isPassedOn(channel))
        try respond(channel)
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try isPassedOn(channel))
    }
}
