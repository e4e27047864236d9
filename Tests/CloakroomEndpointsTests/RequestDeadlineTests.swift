import CloakroomCore
import CloakroomMiddleware
import CloakroomTesting
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import CloakroomEndpoints

/// R12: the deadline of a whole request, on a channel whose clock the test advances.
@Suite struct RequestDeadlineTests {
    private let channel = EmbeddedChannel()

    init() throws {
        let deadline = RequestDeadline(limit: .seconds(30))
        let own = try #require(WebOrigin(parsing: "http://localhost"))
        let wire = WireHandler(
            deadline: deadline, originPolicy: OriginPolicy(ownOrigin: own), largestBody: 65536, demandsTLS: false,
            now: { TestEnvironment.start })
        let operations = channel.pipeline.syncOperations
        try operations.addHandler(deadline)
        try operations.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try operations.addHandler(wire)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func write(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    private func advance(_ seconds: Int64) {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
    }

    /// The bytes that the client has received, and whether the connection is open.
    private func received() throws -> (text: String, isOpen: Bool) {
        channel.embeddedEventLoop.run()
        var text = ""
        while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return (text, channel.isActive)
    }

    /// The number of complete requests that the router has received.
    private func completeRequests() throws -> Int {
        var ends = 0
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            if case .end = part { ends += 1 }
        }
        return ends
    }

    private func respond() throws {
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "0"])
        try channel.writeOutbound(HTTPServerResponsePart.head(head))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
    }

    private static let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

    private func isRefused() throws -> Bool {
        let (text, isOpen) = try received()
        guard !isOpen else {
            #expect(text.isEmpty)
            return false
        }
        return text.hasPrefix("HTTP/1.1 408 ") && text.contains("\"request_timeout\"")
            && text.contains("Connection: close")
            && text.contains("Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n")
    }

    @Test("a client that sends its head slowly is refused when the time is over")
    func drippingHead() throws {
        for byte in "GET /a" {
            #expect(try !isRefused())
            try write(String(byte))
            advance(5)
        }
        #expect(try isRefused())
    }

    @Test("a client that sends its body slowly is refused when the time is over")
    func drippingBody() throws {
        try write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        for _ in 0..<5 {
            advance(5)
            try write("a")
        }
        #expect(try !isRefused())
        advance(5)
        #expect(try isRefused())
    }

    @Test("a byte that does not begin a request, without more, is refused in the same way")
    func strayByte() throws {
        try write("\r\n")
        advance(29)
        #expect(try !isRefused())
        advance(1)
        #expect(try isRefused())
    }

    @Test("the time begins with each request, and excludes the response and the pause before the next")
    func eachRequest() throws {
        for _ in 0..<3 {
            try write("GET / HTTP/1.1\r\nHost: localhost\r\n")
            advance(29)
            try write("\r\n")
            #expect(try completeRequests() == 1)
            advance(300)
            #expect(try !isRefused(), "a slow response is not the client's fault")
            try respond()
            #expect(try received().text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            advance(300)
            #expect(try received().isOpen, "the framework closes idle connections")
        }
    }

    @Test("a request that begins before the deadline of the one before has its own full time")
    func oneSoonAfterAnother() throws {
        try write(Self.request)
        #expect(try completeRequests() == 1)
        try respond()
        #expect(try received().text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        advance(20)
        try write("GET /half")
        advance(29)
        #expect(try !isRefused())
        advance(1)
        #expect(try isRefused())
    }

    @Test("two requests in one segment each have a deadline")
    func pipelined() throws {
        try write(Self.request + Self.request)
        #expect(try completeRequests() == 2)
        advance(300)
        #expect(try !isRefused())
    }

    static let halves: [(complete: String, part: String)] = [
        (request, "G"), (request, "GET /next HTTP/1.1\r\nHost: localhost\r\n"), (request + request, "GET /next"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n\n\r\n\r\n", "GET /next"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nG", "G"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\n\r\n", "GET"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: x\r\n\r\n", "GET"),
    ]

    @Test("a part of the next request in the same segment as a complete one has a deadline", arguments: halves)
    func partOfNext(_ row: (complete: String, part: String)) throws {
        // In one segment, and split at every position.
        for length in 0..<row.complete.count {
            let test = try RequestDeadlineTests()
            let text = row.complete + row.part
            for segment in [text.prefix(length), text.dropFirst(length)] where !segment.isEmpty {
                try test.write(String(segment))
            }
            for _ in 0..<(try test.completeRequests()) { try test.respond() }
            #expect(try test.received().isOpen)
            test.advance(29)
            #expect(try !test.isRefused())
            test.advance(1)
            #expect(try test.isRefused())
        }
    }

    @Test("complete requests have no deadline", arguments: halves.map(\.complete))
    func completeAlone(_ text: String) throws {
        try write(text)
        for _ in 0..<(try completeRequests()) { try respond() }
        #expect(try received().isOpen)
        advance(300)
        #expect(try !isRefused())
    }

    @Test("a refusal of HEAD has no body, also after another request in the same segment")
    func headBehindAnother() throws {
        try write(Self.request + "HEAD /next")
        try respond()
        _ = try received()
        advance(30)
        let (text, isOpen) = try received()
        #expect(!isOpen && text.hasPrefix("HTTP/1.1 408 ") && text.hasSuffix("\r\n\r\n"))
    }

    @Test("a request whose body does not end after its response closes the connection without a second response")
    func bodyBehindResponse() throws {
        try write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na")
        try respond()
        #expect(try received().text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        advance(30)
        #expect(try received() == ("", true))
        advance(2)
        #expect(try received() == ("", false))
    }

    @Test("bytes after the last request of a connection are not refused")
    func behindLast() throws {
        try write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET /next")
        advance(30)
        #expect(try received() == ("", true))
        try respond()
        let (text, _) = try received()
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && !text.contains("408"))
        advance(2)
        #expect(try received() == ("", false))
    }

    private func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    @Test("a client that does not read its responses is disconnected when the time is over")
    func unreadResponses() throws {
        setWritable(false)
        advance(29)
        #expect(try received().isOpen)
        setWritable(true)
        advance(300)
        #expect(try received().isOpen, "the client has read the responses")
        setWritable(false)
        advance(30)
        #expect(try !received().isOpen)
    }

    @Test("a client that reads its last response late must still close the connection")
    func lateReader() throws {
        try write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try respond()
        setWritable(false)
        setWritable(true)
        advance(1)
        #expect(try received().isOpen)
        advance(1)
        #expect(try !received().isOpen)
    }

    @Test("if a response is already being sent, no second one is sent, and the connection closes")
    func whileAnswering() throws {
        try write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na")
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "100"])
        try channel.writeOutbound(HTTPServerResponsePart.head(head))
        advance(30)
        let (text, isOpen) = try received()
        #expect(!isOpen && text.hasPrefix("HTTP/1.1 200 OK\r\n") && !text.contains("408"))
    }

    @Test("a refusal waits for the response to the request before it")
    func refusalWaits() throws {
        try write(Self.request)
        #expect(try completeRequests() == 1)
        try write("GET /half")
        advance(30)
        #expect(try received() == ("", true), "the first request has no response yet")
        try respond()
        let (text, isOpen) = try received()
        #expect(!isOpen && text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("HTTP/1.1 408 "))
    }

    @Test("after a refusal no bytes are read, and a late response of the router is not sent")
    func afterRefusal() throws {
        try write("GET /half")
        advance(30)
        #expect(try isRefused())
        try? write(Self.request)
        #expect(try completeRequests() == 0)
    }
}

/// Counts the pieces that a segment is cut into.
@Suite struct SegmentTests {
    private final class Counter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var pieces = 0
        var bytes = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            pieces += 1
            bytes += unwrapInboundIn(data).readableBytes
        }
    }

    @Test(
        "a segment passes the pipeline complete and in few pieces, with any content",
        arguments: ["\n", "\r\n", "a\n\n", "GET / HTTP/1.1\r\n\r\n"])
    func pieces(_ text: String) throws {
        let (channel, counter) = (EmbeddedChannel(), Counter())
        try channel.pipeline.syncOperations.addHandlers([RequestDeadline(limit: .seconds(30)), counter])
        let segment = String(repeating: text, count: 65536 / text.utf8.count)
        try channel.writeInbound(ByteBuffer(string: segment))
        #expect(counter.pieces <= RequestDeadline.piecesPerSegment)
        #expect(counter.bytes == segment.utf8.count)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
