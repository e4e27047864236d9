import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Implements the parts of HTTP/1.1 that the framework lacks: interim responses, ignored upgrades, problem responses
/// for requests that cannot be parsed, and a deadline for a whole request. `WireState` decides; this handler does the
/// I/O. It stands next to the decoder.
final class WireHandler: HTTPPartHandler {
    private let deadline: RequestDeadline
    private let originPolicy: OriginPolicy
    private let largestBody: Int
    private let protection: [(String, String)]
    private let now: @Sendable () -> Instant
    private var encoder: ChannelHandlerContext?
    private var state = WireState()
    /// Closes a connection whose client does not read.
    private var stall: Scheduled<Void>?
    /// Closes a connection that the client does not close after the last response.
    private var linger: Scheduled<Void>?

    /// - Parameters:
    ///   - originPolicy: decides which authorities belong to this server.
    ///   - largestBody: for `Expect: 100-continue`, a longer body is refused before the client sends it.
    ///   - demandsTLS: whether browsers are told to use TLS alone.
    ///   - now: the clock for the `Date` of a refusal.
    init(
        deadline: RequestDeadline, originPolicy: OriginPolicy, largestBody: Int, demandsTLS: Bool,
        now: @escaping @Sendable () -> Instant
    ) {
        self.deadline = deadline
        self.originPolicy = originPolicy
        self.largestBody = largestBody
        self.now = now
        protection = SecurityHeaders<PrivateRequestContext>.fieldsOfData(demandsTLS: demandsTLS)
            .map { ($0.name.rawName, $0.value) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        encoder = context.responseEncoder
        deadline.isOver = { [weak self] in self?.refuse(.requestTimeout, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
        deadline.isOver = nil
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            receive(head, context)
        case .body:
            if state.receiveBody() == .pass { context.fireChannelRead(data) }
        case .end:
            guard state.receiveEnd() == .pass else { return }
            deadline.requestIsComplete()
            context.fireChannelRead(data)
        }
    }

    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var passed: HTTPRequestHead
        do throws(Denial) {
            try head.checkTransferCoding()
            passed = try head.withAuthorityAsHost(under: originPolicy)
        } catch {
            return carryOut(state.refuse(error, isHead: head.method == .HEAD), context)
        }
        let request = head.wireRequest(largestBody: largestBody)
        switch state.receiveHead(request) {
        case .drop: return
        case .pass: break
        case .passAndContinue:
            encoder?.writeAndFlush(NIOAny(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        deadline.headIsComplete(bodyLength: head.contentLength)
        // The framework looks for exactly this value, and would keep a connection of HTTP/1.0 open.
        if request.isLast { passed.headers.replaceOrAdd(name: "connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(passed)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? HTTPParserError {
        case .headerOverflow?: refuse(.headTooLarge, context)
        // Bytes after a request that ends its connection are not a request (RFC 9112 section 9.6).
        case .closedConnection?: break
        case .some:
            guard let action = state.receiveMalformed(isHead: deadline.isHead) else { fallthrough }
            carryOut(action, context)
        case nil: context.fireErrorCaught(error)
        }
    }

    // MARK: Responses

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        switch state.write(part.kind) {
        case .write:
            context.write(data, promise: promise)
        case .writeWithClose:
            context.write(wrapOutboundOut(part.withClose), promise: promise)
        case .writeLast:
            writeLast(data, promise, context)
        case .writeThenSend(let denial, let isHead):
            context.write(data, promise: promise)
            send(denial, isHead: isHead, context)
        case .discard:
            promise?.fail(ChannelError.ioOnClosedChannel)
        case .discardAndLinger:
            promise?.fail(ChannelError.ioOnClosedChannel)
            closeSoon(context)
        }
    }

    /// Closes the connection only after the last response is written, so that a slow client can read all of it.
    private func writeLast(_ data: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.assumeIsolated().whenSuccess { self.closeSoon(context) }
        context.write(data, promise: written)
    }

    private func refuse(_ denial: Denial, _ context: ChannelHandlerContext) {
        carryOut(state.refuse(denial, isHead: deadline.isHead), context)
    }

    private func carryOut(_ action: WireState.RefusalAction, _ context: ChannelHandlerContext) {
        switch action {
        case .send(let denial, let isHead): send(denial, isHead: isHead, context)
        case .close: context.close(promise: nil)
        case .linger: closeSoon(context)
        case .wait, .ignore: break
        }
    }

    private func send(_ denial: Denial, isHead: Bool, _ context: ChannelHandlerContext) {
        DenialLog.count(denial)
        let (status, fields, body) = denial.problem.bytes
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status))
        head.headers = HTTPHeaders(fields + protection)
        head.headers.add(name: "Content-Length", value: "\(body.count)")
        head.headers.add(name: "Connection", value: "close")
        head.headers.add(name: "Date", value: now().httpDate)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
            self.closeSoon(context)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    // MARK: The end of a connection

    /// Closes the connection after two seconds, also if the client still sends. An immediate close while the client
    /// still sends would reset the connection, and the client would lose the response (RFC 9112 section 9.6).
    private func closeSoon(_ context: ChannelHandlerContext) {
        guard linger == nil, context.channel.isActive else { return }
        linger = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) { context.close(promise: nil) }
    }

    private static let lingerTime = TimeAmount.seconds(2)

    /// Closes a connection whose client does not read within the deadline: it must not keep the connection and its
    /// buffered responses forever.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable {
            stall = context.eventLoop.assumeIsolated().scheduleTask(in: deadline.limit) { context.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stall?.cancel()
        linger?.cancel()
        context.fireChannelInactive()
    }
}

extension HTTPServerResponsePart {
    fileprivate var kind: WireState.ResponsePart {
        switch self {
        case .head: .head
        case .body: .body
        case .end: .end
        }
    }

    /// A head with `Connection: close`.
    fileprivate var withClose: HTTPServerResponsePart {
        guard case .head(var head) = self else { return self }
        head.headers.replaceOrAdd(name: "connection", value: "close")
        return .head(head)
    }
}
