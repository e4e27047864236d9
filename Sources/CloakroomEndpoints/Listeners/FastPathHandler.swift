import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Answers the requests of a fast path on the event loop, before the framework parses them, and passes every other
/// request on.
///
/// It stands between the decoder and `WireHandler`, which sees only the requests that are passed on. It writes its
/// responses past the encoder, because it makes their bytes itself.
final class FastPathHandler<Path: FastPath>: HTTPPartHandler {
    private enum State {
        /// The parts of the request go to the framework.
        case passing
        /// The request is being received.
        case receiving(FastDecision<Path.Answer>, beganAt: NIODeadline)
        /// The response waits for the disk, and what follows waits for the response.
        case waiting
    }

    private let path: Path
    private let deadline: RequestDeadline
    private let now: @Sendable () -> Instant
    /// The security headers of every response.
    private let protection: [UInt8]

    private var encoder: ChannelHandlerContext?
    private var executor: EventLoopExecutor?
    private var date = CurrentDate()
    private var state = State.passing
    /// What came while a response waited for the disk.
    private var held = Held()
    /// Requests that the framework has not answered yet. No response may overtake theirs.
    private var outstanding = 0
    /// The connection ends with a response that was, or will be, written.
    private var isClosing = false
    private var isFlushNeeded = false
    /// Whether a part was passed on since the last `channelReadComplete`.
    private var isPassing = false
    private var lastPassedAt = NIODeadline.now()

    private struct Held {
        var parts: [HTTPServerRequestPart] = []
        var isRead = false
        var events: [Any] = []
        var error: (any Error)?
    }

    /// - Parameters:
    ///   - demandsTLS: whether browsers are told to use TLS alone.
    ///   - now: the clock for `Date`.
    init(_ path: Path, deadline: RequestDeadline, demandsTLS: Bool, now: @escaping @Sendable () -> Instant) {
        self.path = path
        self.deadline = deadline
        self.now = now
        protection = SecurityHeaders<PrivateRequestContext>.fieldsOfData(demandsTLS: demandsTLS)
            .flatMap { Array("\($0.name.rawName): \($0.value)\r\n".utf8) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        encoder = context.responseEncoder
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .waiting = state {
            held.parts.append(unwrapInboundIn(data))
        } else {
            receive(data, context)
        }
    }

    private func receive(_ data: NIOAny, _ context: ChannelHandlerContext) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            state = decide(head)
            if case .passing = state { pass(data, context) }
        case .body:
            if case .passing = state { pass(data, context) }
        case .end:
            switch state {
            case .passing, .waiting: pass(data, context)
            case .receiving(let decision, let beganAt):
                deadline.requestIsComplete()
                carryOut(decision, beganAt, context)
            }
        }
    }

    private func decide(_ head: HTTPRequestHead) -> State {
        let beganAt = NIODeadline.now()
        if mayAnswer(at: beganAt), head.isPlain, let decision = path.decide(head) {
            return .receiving(decision.traced(head), beganAt: beganAt)
        }
        lastPassedAt = beganAt
        isClosing = isClosing || !head.isKeepAlive
        outstanding += 1
        return .passing
    }

    /// The requests of a client that does not read its responses go to the framework, which then stops reading from it.
    private func mayAnswer(at now: NIODeadline) -> Bool {
        !isClosing && outstanding == 0 && encoder?.channel.isWritable == true
            && lastPassedAt + FastPathLimits.longestHidden > now
    }

    private func pass(_ data: NIOAny, _ context: ChannelHandlerContext) {
        isPassing = true
        context.fireChannelRead(data)
    }

    /// Later handlers that received no part need no `channelReadComplete`.
    func channelReadComplete(context: ChannelHandlerContext) {
        flushIfNeeded()
        if isPassing {
            isPassing = false
            context.fireChannelReadComplete()
        }
    }

    /// What cannot be parsed is refused after the response to the request before it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .waiting = state { held.error = error } else { context.fireErrorCaught(error) }
    }

    /// Reads no more while a response waits for the disk and a next request has begun.
    func read(context: ChannelHandlerContext) {
        if case .waiting = state, !held.parts.isEmpty {
            held.isRead = true
        } else {
            context.read()
        }
    }

    // MARK: Responses

    private func carryOut(
        _ decision: FastDecision<Path.Answer>, _ beganAt: NIODeadline, _ context: ChannelHandlerContext
    ) {
        switch decision {
        case .now(let answer):
            state = .passing
            write(answer, beganAt)
        case .later(let function):
            state = .waiting
            let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            Task(executorPreference: executor(of: context.eventLoop)) {
                let answer = await function()
                let (handler, context) = handler.value
                handler.goOn(with: answer, beganAt, context)
            }
        }
    }

    private func executor(of eventLoop: any EventLoop) -> EventLoopExecutor {
        if let executor { return executor }
        let new = EventLoopExecutor(eventLoop)
        executor = new
        return new
    }

    /// Sends a response that has waited, and takes what has come meanwhile.
    private func goOn(with answer: Path.Answer, _ beganAt: NIODeadline, _ context: ChannelHandlerContext) {
        state = .passing
        write(answer, beganAt)
        flushIfNeeded()
        let came = held
        held = Held()
        guard context.channel.isActive else { return }
        for part in came.parts { channelRead(context: context, data: wrapInboundOut(part)) }
        if !came.parts.isEmpty { channelReadComplete(context: context) }
        if came.isRead { read(context: context) }
        if let error = came.error { context.fireErrorCaught(error) }
        for event in came.events { userInboundEventTriggered(context: context, event: event) }
    }

    private func write(_ answer: Path.Answer, _ beganAt: NIODeadline) {
        guard let encoder else { return }
        var buffer = encoder.channel.allocator.buffer(capacity: 2048)
        answer.writeHead(to: &buffer)
        buffer.writeBytes(protection)
        buffer.writeBytes(date.line(at: now()))
        buffer.writeBytes(answer.body)
        encoder.write(NIOAny(buffer), promise: nil)
        isFlushNeeded = true
        path.observe(answer, .nanoseconds((NIODeadline.now() - beganAt).nanoseconds))
    }

    private func flushIfNeeded() {
        guard isFlushNeeded else { return }
        isFlushNeeded = false
        encoder?.flush()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): isClosing = isClosing || !head.isKeepAlive
        case .body: break
        case .end: outstanding = max(0, outstanding - 1)
        }
        context.write(data, promise: promise)
    }

    // MARK: The end of a connection

    /// The framework closes a connection when the server stops, and when the client sends no more. It does not know of
    /// a response that waits, or that is not written yet.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        isClosing = isClosing || event is ChannelShouldQuiesceEvent
        if case .waiting = state { return held.events.append(event) }
        let isEnd = event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed
        guard isEnd, let encoder else { return context.fireUserInboundEventTriggered(event) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in context.fireUserInboundEventTriggered(event) }
        encoder.writeAndFlush(NIOAny(ByteBuffer()), promise: sent)
    }
}

enum FastPathLimits {
    /// The framework closes a connection on which it sees no request for its idle timeout. One request in this time
    /// therefore goes through the framework.
    static let longestHidden = TimeAmount.seconds(20)
}

extension HTTPRequestHead {
    /// Whether the request has no body, keeps its connection, and has nothing that the framework has to see.
    fileprivate var isPlain: Bool {
        guard version == .http1_1, isKeepAlive else { return false }
        var hosts = 0
        for (name, value) in headers {
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
