import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import NIOCore
import NIOHTTP1

/// What HTTP/1.1 demands of a server besides the framework: interim answers, upgrades that are ignored, refusals of what
/// cannot be parsed, and a deadline for a whole request. Stands next to the decoder.
final class WireHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let deadline: RequestDeadline
    private let originPolicy: OriginPolicy
    private let largestBody: Int
    private let protection: [(String, String)]
    private let now: @Sendable () -> Instant
    private var encoder: ChannelHandlerContext?
    /// Closes a connection that the client does not read, or does not close.
    private var stalled: Scheduled<Void>?
    /// Of each request that has not been answered: whether its connection must close behind the answer.
    private var outstanding: [Bool] = []
    private var isAnswering = false
    /// Whether the end of a request has not come yet.
    private var isReading = false
    /// Whether the request that came last is one whose answer has no body.
    private var isHead = false
    /// Whether the request that came last ends its connection: what follows it is none.
    private var isLastRead = false
    /// Nothing more is read.
    private var isOver = false
    /// The last answer, which waits for those before it.
    private var refusal: Denial?
    private var isRefused = false

    /// - Parameters:
    ///   - originPolicy: says which authorities are ours.
    ///   - largestBody: what is announced as longer is refused without being asked for.
    ///   - isHTTPS: whether browsers reach this server over TLS.
    ///   - now: for the date of a refusal.
    init(
        deadline: RequestDeadline, originPolicy: OriginPolicy, largestBody: Int, isHTTPS: Bool,
        now: @escaping @Sendable () -> Instant
    ) {
        self.deadline = deadline
        self.originPolicy = originPolicy
        self.largestBody = largestBody
        self.now = now
        protection = SecurityHeaders<PrivateRequestContext>.fieldsOfData(isHTTPS: isHTTPS)
            .map { ($0.name.rawName, $0.value) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        deadline.isOver = { [weak self] in self?.refuse(.requestTimeout, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
        deadline.isOver = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver, !isLastRead || isReading else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isHead = head.method == .HEAD
            guard let head = withAuthorityAsHost(head) else { return refuse(.misdirectedRequest, context) }
            guard head.headers["host"].count <= 1 else {
                return refuse(.invalidRequest(fields: ["Host": "must be there, once"]), context)
            }
            isReading = true
            context.fireChannelRead(wrapInboundOut(.head(prepare(head))))
        case .body:
            context.fireChannelRead(data)
        case .end:
            isReading = false
            deadline.requestIsComplete()
            context.fireChannelRead(data)
        }
    }

    /// The authority of a target in absolute form takes the place of the Host header (RFC 9112 section 3.2.2); the
    /// framework keeps its path only.
    /// - Returns: nil when it is not ours.
    private func withAuthorityAsHost(_ head: HTTPRequestHead) -> HTTPRequestHead? {
        guard !head.uri.hasPrefix("/"), let separator = head.uri.firstRange(of: "://") else { return head }
        let authority = String(head.uri[separator.upperBound...].prefix { !"/?#".contains($0) })
        guard originPolicy.isOurs(targetAuthority: authority) else { return nil }
        var head = head
        if head.headers["host"].count <= 1 { head.headers.replaceOrAdd(name: "host", value: authority) }
        return head
    }

    private func prepare(_ head: HTTPRequestHead) -> HTTPRequestHead {
        var head = head
        // NIO's decoder stops for good behind a request that offers an upgrade (swift-nio pull request 2570): the next
        // request on the connection, which a proxy shares among its clients, would hang.
        let offersUpgrade =
            head.headers.contains(name: "upgrade") && namesUpgrade(head.headers[canonicalForm: "connection"])
        // So it does behind CONNECT. The framework looks for exactly this value, and would keep a connection of
        // HTTP/1.0 open.
        let isLast =
            offersUpgrade || head.method == .CONNECT || !head.isKeepAlive || head.version != .http1_1
            || waitsInVain(head)
        if isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
        if outstanding.isEmpty, head.version == .http1_1, head.headers.contains(name: "expect") {
            answerExpectation(of: head)
        }
        outstanding.append(isLast)
        isLastRead = isLast
        return head
    }

    private func namesUpgrade(_ options: [Substring]) -> Bool {
        options.contains { $0.lowercased() == "upgrade" }
    }

    /// Whether a client waits to be asked for a body that is too long. It may go on without sending it, and then its
    /// next request would be taken for the body.
    private func waitsInVain(_ head: HTTPRequestHead) -> Bool {
        let length = head.headers.first(name: "content-length").flatMap(Int.init) ?? 0
        return head.headers.contains(name: "expect") && length > largestBody
    }

    private func answerExpectation(of head: HTTPRequestHead) {
        let expectations = head.headers["expect"].map { $0.lowercased() }
        guard expectations == ["100-continue"], !waitsInVain(head), let encoder else { return }
        encoder.writeAndFlush(NIOAny(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // What is written without a request to answer is the framework's own word on a body that broke off behind its
        // answer: the client would take it for the answer to its next request.
        guard !isRefused, !outstanding.isEmpty else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            if !isRefused { closeSoon(context) }
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            isAnswering = true
            if outstanding.first == true { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            isAnswering = false
            let isLast = outstanding.removeFirst()
            context.write(data, promise: promise)
            if isLast { closeSoon(context) }
            if let refusal, isNext { send(refusal, context) }
        }
    }

    /// Refuses what the decoder cannot read with a sentence, and leaves the rest to the framework.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? HTTPParserError {
        case .headerOverflow?:
            isHead = deadline.isHead
            refuse(.headTooLarge, context)
        // What follows a request that ends its connection is none (RFC 9112 section 9.6).
        case .closedConnection?: break
        // A request that was answered before its body broke off gets no second answer.
        case .some where isReading && outstanding.isEmpty: closeSoon(context)
        // In the middle of a body it is for the one who reads the body.
        case .some where !isReading: refuse(.invalidRequest(fields: [:]), context)
        case .some, nil: context.fireErrorCaught(error)
        }
    }

    /// A client that does not read what it is answered must not keep its connection, and what waits in it, for good.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = nil
        if !context.channel.isWritable {
            stalled = context.eventLoop.assumeIsolated().scheduleTask(in: deadline.limit) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Closes the connection after a while, whatever the client does. Closing it at once, while the client still sends,
    /// would reset it, and the client would lose the answer (RFC 9112 section 9.6).
    private func closeSoon(_ context: ChannelHandlerContext) {
        isLastRead = true
        isReading = false
        stalled?.cancel()
        stalled = context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { context.close(promise: nil) }
    }

    private static let linger = TimeAmount.seconds(2)

    func channelInactive(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = nil
        context.fireChannelInactive()
    }

    /// Ends the connection with this answer, behind those of the requests before it.
    private func refuse(_ denial: Denial, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        DenialLog.count(denial)
        guard isNext else { return refusal = denial }
        // An answer to the very request that is refused is under way already.
        guard !isAnswering else { return context.close(promise: nil) }
        send(denial, context)
    }

    /// Whether no request is to be answered before the one that is refused, which may be in its middle.
    private var isNext: Bool { outstanding.count == (isReading ? 1 : 0) }

    private func send(_ denial: Denial, _ context: ChannelHandlerContext) {
        isRefused = true
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
}
