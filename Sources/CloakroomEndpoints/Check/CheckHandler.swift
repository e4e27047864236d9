import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Answers checks that are allowed without I/O on the event loop, before the framework parses the request. It passes
/// every other request to the router, whose endpoint reads it with the same `CheckRequest` and decides it with the
/// same `AccessQuestion`.
///
/// It stands between the decoder and `WireHandler`, which sees only the requests that are passed on. It writes its
/// responses past the encoder, because it makes their bytes itself.
final class CheckHandler: HTTPPartHandler {
    private let rules: CheckRules
    private let peer: AdmittedPeer
    private let deadline: RequestDeadline
    /// The security headers of every response.
    private let protection: [UInt8]
    private let observe: @Sendable (CheckAnswer.Status, Duration) -> Void

    private var encoder: ChannelHandlerContext?
    private var date = CurrentDate()
    /// The response that is sent at the end of its request.
    private var answer: (value: CheckAnswer, beganAt: NIODeadline)?
    /// Requests that the router has not answered yet. No response may overtake theirs.
    private var outstanding = 0
    /// The connection ends with a response that was, or will be, written.
    private var isClosing = false
    private var isFlushNeeded = false
    /// Whether a part was passed on since the last `channelReadComplete`.
    private var isPassing = false
    private var lastRoutedAt = NIODeadline.now()

    /// The framework closes a connection on which it sees no request for its idle timeout. One check in this time
    /// therefore goes through the framework.
    static let longestHidden = TimeAmount.seconds(20)

    /// - Parameters:
    ///   - demandsTLS: whether browsers are told to use TLS alone.
    ///   - observe: called with the status of each response and the time that it took.
    init(
        _ rules: CheckRules, peer: AdmittedPeer, deadline: RequestDeadline, demandsTLS: Bool,
        observe: @escaping @Sendable (CheckAnswer.Status, Duration) -> Void
    ) {
        self.rules = rules
        self.peer = peer
        self.deadline = deadline
        self.observe = observe
        protection = SecurityHeaders<PrivateRequestContext>.fieldsOfData(demandsTLS: demandsTLS)
            .flatMap { Array("\($0.name.rawName): \($0.value)\r\n".utf8) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        encoder = context.responseEncoder
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer = answerAtOnce(head)
            if answer == nil { pass(data, context) }
        case .body:
            if answer == nil { pass(data, context) }
        case .end:
            guard let answer else { return pass(data, context) }
            deadline.requestIsComplete()
            write(answer.value)
            self.answer = nil
            observe(answer.value.status, .nanoseconds((NIODeadline.now() - answer.beganAt).nanoseconds))
        }
    }

    private func pass(_ data: NIOAny, _ context: ChannelHandlerContext) {
        isPassing = true
        context.fireChannelRead(data)
    }

    /// Later handlers that received no part need no `channelReadComplete`.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isFlushNeeded {
            isFlushNeeded = false
            encoder?.flush()
        }
        if isPassing {
            isPassing = false
            context.fireChannelReadComplete()
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): isClosing = isClosing || !head.isKeepAlive
        case .body: break
        case .end: outstanding = max(0, outstanding - 1)
        }
        context.write(data, promise: promise)
    }

    /// Flushes the written responses before the framework closes the connection.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent, let encoder else {
            return context.fireUserInboundEventTriggered(event)
        }
        isClosing = true
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        encoder.writeAndFlush(NIOAny(ByteBuffer()), promise: sent)
    }

    /// - Returns: nil for a request that the router must answer; it is counted as outstanding.
    private func answerAtOnce(_ head: HTTPRequestHead) -> (value: CheckAnswer, beganAt: NIODeadline)? {
        let beganAt = NIODeadline.now()
        if mayAnswer(at: beganAt), isPlain(head), let answer = allow(head) { return (answer, beganAt) }
        lastRoutedAt = beganAt
        isClosing = isClosing || !head.isKeepAlive
        outstanding += 1
        return nil
    }

    /// The requests of a client that does not read its responses go to the framework, which then stops reading from it.
    private func mayAnswer(at now: NIODeadline) -> Bool {
        !isClosing && outstanding == 0 && encoder?.channel.isWritable == true && lastRoutedAt + Self.longestHidden > now
    }

    /// A request without a body that keeps its connection.
    private func isPlain(_ head: HTTPRequestHead) -> Bool {
        guard head.method == .GET, head.version == .http1_1, head.isKeepAlive else { return false }
        var hosts = 0
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where name.lowercased() == "host": hosts += 1
            case 6 where name.lowercased() == "expect": return false
            case 7 where name.lowercased() == "upgrade": return false
            case 14 where name.lowercased() == "content-length": if value != "0" { return false }
            case 17 where name.lowercased() == "transfer-encoding": return false
            default: break
            }
        }
        return hosts == 1
    }

    private func allow(_ head: HTTPRequestHead) -> CheckAnswer? {
        guard let parameters = try? CheckParameters(head.uri), !parameters.refuses,
            let check = try? CheckRequest(
                method: head.method.rawValue, authority: head.headers.first(name: "host"), parameters: parameters,
                headers: CheckHeaders(head.headers.lazy.map { (name: $0.name, value: $0.value) })),
            !check.isAllowedPreflight(under: rules.originPolicy),
            (try? check.checkOrigin(under: rules)) != nil,
            let access = rules.authorizer.authorizeAtOnce(
                check.credentials(under: rules), demanding: parameters.demand),
            (try? parameters.check(access.claims)) != nil
        else { return nil }
        return CheckAnswer(allowing: access, under: parameters, to: peer)
    }

    private func write(_ answer: CheckAnswer) {
        guard let encoder else { return }
        var buffer = encoder.channel.allocator.buffer(capacity: 2048)
        switch answer.status {
        case .ok: buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        case .noContent: buffer.writeStaticString("HTTP/1.1 204 No Content\r\n")
        }
        answer.write(to: &buffer)
        if answer.status == .ok { buffer.writeStaticString("Content-Length: 0\r\n") }
        buffer.writeBytes(protection)
        buffer.writeBytes(date.line(at: rules.authorizer.now()))
        encoder.write(NIOAny(buffer), promise: nil)
        isFlushNeeded = true
    }
}

/// The `Date` header and the empty line that ends a response head, rebuilt once a second.
private struct CurrentDate {
    private var second: Int64 = .min
    private var bytes: [UInt8] = []

    /// The `Date` header line, and the end of the head.
    mutating func line(at now: Instant) -> [UInt8] {
        if now.seconds != second {
            second = now.seconds
            bytes = Array("Date: \(now.httpDate)\r\n\r\n".utf8)
        }
        return bytes
    }
}
