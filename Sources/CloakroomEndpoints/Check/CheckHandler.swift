import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import NIOCore
import NIOHTTP1

/// Answers known questions to `/auth/check` on the event loop, before the framework sees them; every other request goes the
/// long way, and what is allowed there is learnt from its answer.
///
/// Stands next to the decoder. It writes past the encoder, for the bytes are there already.
final class CheckHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let checks: KnownChecks
    private let now: @Sendable () -> Instant
    private let observe: @Sendable (Duration) -> Void

    private var peer: [UInt8] = []
    private var scratch: [UInt8] = []
    private var encoder: ChannelHandlerContext?
    private var date = CurrentDate()
    /// The answer that waits for the end of its request.
    private var answer: Answer?
    /// Requests on the long way, in order, with what there is to learn from their answers. Nothing may overtake them.
    private var outstanding: [CheckQuestion?] = []
    private var isClosing = false
    private var isFlushNeeded = false
    private var lastOnLongWayAt = NIODeadline.now()

    private struct Answer {
        let template: AnswerTemplate
        let access: VerifiedAccess
        let beganAt: NIODeadline
    }

    /// The framework closes connections on which it sees nothing for its idle timeout, so once in a while it sees a check.
    static let longestHidden = TimeAmount.seconds(20)

    /// - Parameter observe: told how long each answer from memory took.
    init(
        _ checks: KnownChecks, now: @escaping @Sendable () -> Instant,
        observe: @escaping @Sendable (Duration) -> Void
    ) {
        self.checks = checks
        self.now = now
        self.observe = observe
    }

    func handlerAdded(context: ChannelHandlerContext) {
        peer = Array((context.remoteAddress?.ipAddress ?? "").utf8)
        encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer = recall(head)
            if answer == nil { context.fireChannelRead(data) }
        case .body:
            if answer == nil { context.fireChannelRead(data) }
        case .end:
            guard let answer else { return context.fireChannelRead(data) }
            write(answer)
            self.answer = nil
            observe(.nanoseconds((NIODeadline.now() - answer.beganAt).nanoseconds))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isFlushNeeded {
            isFlushNeeded = false
            encoder?.flush()
        }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if let first = outstanding.first, let question = first { checks.learn(head, to: question) }
        case .body:
            break
        case .end:
            if !outstanding.isEmpty { outstanding.removeFirst() }
        }
        context.write(data, promise: promise)
    }

    /// A connection that is to be closed loses what was not sent yet: that first.
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

    /// - Returns: the answer, if it is known; otherwise notes that the request goes the long way.
    private func recall(_ head: HTTPRequestHead) -> Answer? {
        let beganAt = NIODeadline.now()
        let question =
            encoder == nil
            ? nil : CheckQuestion(head, peer: peer, session: checks.authorizer.cookie, scratch: &scratch)
        if let question, mayAnswer(at: beganAt), let known = checks.answer(to: question) {
            return Answer(template: known.template, access: known.access, beganAt: beganAt)
        }
        lastOnLongWayAt = beganAt
        isClosing = isClosing || !head.isKeepAlive
        outstanding.append(question)
        return nil
    }

    /// Whoever asks and does not read what is answered is left to the framework, which then reads no more from them.
    private func mayAnswer(at now: NIODeadline) -> Bool {
        !isClosing && outstanding.isEmpty && encoder?.channel.isWritable == true
            && lastOnLongWayAt + Self.longestHidden > now
    }

    private func write(_ answer: Answer) {
        guard let encoder else { return }
        var buffer = encoder.channel.allocator.buffer(capacity: 2048)
        answer.template.write(for: answer.access, to: &buffer)
        buffer.writeBytes(date.line(at: now()))
        encoder.write(NIOAny(buffer), promise: nil)
        isFlushNeeded = true
    }
}

/// The last line of an answer, made anew once a second.
private struct CurrentDate {
    private var second: Int64 = .min
    private var bytes: [UInt8] = []

    /// The date's header and the end of all headers.
    mutating func line(at now: Instant) -> [UInt8] {
        if now.seconds != second {
            second = now.seconds
            bytes = Array("Date: \(now.httpDate)\r\n\r\n".utf8)
        }
        return bytes
    }
}
