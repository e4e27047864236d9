import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Logging
import NIOCore

/// A connection of a browser: reads one request after the other, has each judged, and lets an `Exchange` carry it out.
///
/// It reads the next request only when the response of the last has been written, so that responses keep their order and
/// a client that sends faster than it reads is held back by the kernel.
final class FrontConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Reading a head, or waiting for one.
        case head
        /// The store is asked.
        case judging
        case exchanging(Exchange)
        /// The last response is written; what still comes is discarded.
        case lingering
    }

    let gateway: Gateway
    let loop: GatewayLoop
    private let peer: String?
    /// Whether the channel is a stream of HTTP/2, which ends with its response: nothing has to be closed.
    private let isStream: Bool
    private var state = State.head
    private var context: ChannelHandlerContext?
    private var gate = ReadGate()
    /// What has arrived and belongs to no finished part of a request.
    var received = ByteBuffer()
    private var headEnd = HeadEnd()
    private var deadline: NIODeadline?
    /// Whether the server is stopping.
    private(set) var isDraining = false
    private var isReadingHeads = false
    private var isFlushNeeded = false

    private static let lingerTime = TimeAmount.seconds(2)

    init(_ gateway: Gateway, _ loop: GatewayLoop, peer: String?, isStream: Bool) {
        self.isStream = isStream
        self.gateway = gateway
        self.loop = loop
        self.peer = peer
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        deadline = .now() + gateway.limits.idle
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if case .lingering = state { return }
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        switch state {
        case .head: readHeads()
        case .exchanging(let exchange): exchange.clientSent()
        case .judging, .lingering: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .exchanging(let exchange) = state { exchange.clientReadComplete() }
        flushIfNeeded()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.remove(self)
        deadline = nil
        if case .exchanging(let exchange) = state { exchange.clientIsGone() }
        state = .lingering
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .exchanging(let exchange) = state { exchange.clientIsWritable() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if gate.admitsRead() { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        drain()
    }

    /// The server stops: what is in flight is finished, and streams are ended.
    func drain() {
        isDraining = true
        switch state {
        case .head where received.readableBytes == 0: context?.close(promise: nil)
        case .exchanging(let exchange): exchange.drain()
        case .head, .judging, .lingering: break
        }
    }

    // MARK: For exchanges

    var isWritable: Bool { context?.channel.isWritable == true }

    func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        context.write(wrapOutboundOut(bytes), promise: nil)
        isFlushNeeded = true
    }

    func flushIfNeeded() {
        guard isFlushNeeded else { return }
        isFlushNeeded = false
        context?.flush()
    }

    func makeBuffer(capacity: Int) -> ByteBuffer {
        context?.channel.allocator.buffer(capacity: capacity) ?? ByteBuffer()
    }

    func pauseReading() {
        gate.isPaused = true
    }

    func resumeReading() {
        gate.isPaused = false
        if let context, gate.takePendingRead() { context.read() }
    }

    /// Cuts the connection: the client must not take what it has for a whole response.
    func abort() {
        context?.close(promise: nil)
    }

    /// The response is written.
    /// - Parameter closes: whether the client was told that no other will follow.
    func exchangeEnded(closes: Bool, requestIsComplete: Bool) {
        if closes || isDraining {
            return requestIsComplete ? closeWhenWritten() : linger()
        }
        becomeReady()
        readHeads()
    }

    // MARK: Requests

    private func becomeReady() {
        state = .head
        headEnd = HeadEnd()
        deadline = .now() + (received.readableBytes == 0 ? gateway.limits.idle : gateway.limits.head)
        resumeReading()
    }

    /// Reads as many requests as have arrived and can be answered at once. A loop: with a recursion, a client that sends
    /// thousands of requests in one segment would exhaust the stack.
    private func readHeads() {
        guard !isReadingHeads else { return }
        isReadingHeads = true
        defer { isReadingHeads = false }
        while case .head = state, received.readableBytes > 0, readHead() {}
        flushIfNeeded()
    }

    /// - Returns: whether there was a whole head.
    private func readHead() -> Bool {
        do throws(RequestFault) {
            guard let length = try lengthOfHead(), let bytes = received.readSlice(length: length) else { return false }
            handle(try RequestHead(bytes))
        } catch {
            refuseUnread(error)
        }
        return true
    }

    private func lengthOfHead() throws(RequestFault) -> Int? {
        let isBeginning = headEnd.isAtStart
        do {
            let length = try received.withUnsafeReadableBytes { bytes throws(MalformedHead) in
                try headEnd.find(in: bytes)
            }
            if let length {
                guard length <= gateway.limits.longestHead else { throw RequestFault.headTooLarge }
                return length
            }
        } catch let fault as RequestFault {
            throw fault
        } catch {
            throw .malformed("the head does not follow the grammar of HTTP/1.1")
        }
        guard received.readableBytes <= gateway.limits.longestHead else { throw .headTooLarge }
        if isBeginning { deadline = .now() + gateway.limits.head }
        return nil
    }

    private func handle(_ head: RequestHead) {
        deadline = nil
        switch gateway.rules.judge(head) {
        case .own: begin(Exchange(self, head, .own))
        case .pass(let route, let access): begin(Exchange(self, head, .backend(route, access, setCookie: nil)))
        case .refused(let denial, let route): refuse(denial, head, route)
        case .authorize(let route, let credentials):
            state = .judging
            pauseReading()
            judge(head, route, credentials)
        }
    }

    private func judge(_ head: RequestHead, _ route: Route, _ credentials: RequestCredentials) {
        let rules = gateway.rules
        let agent = head.first(.userAgent) ?? ""
        loop.eventLoop.makeFutureWithTask {
            try await rules.authorize(credentials, for: route, userAgent: agent)
        }
        .assumeIsolated().whenComplete { result in
            guard self.context?.channel.isActive == true else { return }
            self.state = .head
            switch result {
            case .success(.pass(let access, let setCookie)):
                self.begin(Exchange(self, head, .backend(route, access, setCookie: setCookie)))
            case .success(.refused(let denial)):
                self.refuse(denial, head, route)
            case .failure(let error):
                self.gateway.log.warning("a session could not be checked", metadata: ["error": "\(error)"])
                self.refuse(.unavailable(retryAfter: .seconds(1)), head, route)
            }
            self.readHeads()
            self.flushIfNeeded()
        }
    }

    private func begin(_ exchange: Exchange) {
        state = .exchanging(exchange)
        exchange.begin()
    }

    /// The address of the client, from the peer and what trusted proxies say.
    func clientAddress(of head: RequestHead) -> String {
        gateway.rules.trustedProxies.client(peer: peer, forwardedFor: head.values(.forwardedFor))
    }

    // MARK: Our own answers

    private func refuse(_ denial: Denial, _ head: RequestHead, _ route: Route?) {
        gateway.denials.write(denial, of: LoggedRequest(head))
        let answer = gateway.rules.answer(denial, to: head, route: route)
        gateway.observe(route?.pattern.description, head.method, answer.status, .zero)
        self.answer(answer, to: head, requestIsComplete: head.framing == .empty)
    }

    /// Answers a request that could not be read. What follows it on the connection has no meaning.
    private func refuseUnread(_ fault: RequestFault) {
        DenialLog.count(fault.denial)
        write(GatewayAnswer(fault.denial, to: nil), isToHead: false, closes: true)
        linger()
    }

    /// - Parameter requestIsComplete: whether the body was read; otherwise the connection ends with the answer.
    func answer(_ answer: GatewayAnswer, to head: RequestHead, requestIsComplete: Bool) {
        let closes = !head.keepsConnection || !requestIsComplete || isDraining || head.offersUpgrade
        write(answer, isToHead: head.method == "HEAD", closes: closes)
        exchangeEnded(closes: closes, requestIsComplete: requestIsComplete)
    }

    private func write(_ answer: GatewayAnswer, isToHead: Bool, closes: Bool) {
        var buffer = makeBuffer(capacity: 1024)
        answer.write(
            to: &buffer, date: gateway.rules.authorizer.now().httpDate, protection: gateway.protection,
            isToHead: isToHead, closes: closes)
        write(buffer)
    }

    // MARK: The end

    func closeWhenWritten() {
        state = .lingering
        deadline = .now() + gateway.limits.stalledClient
        guard !isStream else { return flushIfNeeded() }
        isFlushNeeded = false
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    /// Closes the connection a moment later: an immediate close while the client still sends would reset it, and the
    /// client would lose the response (RFC 9112 section 9.6).
    private func linger() {
        state = .lingering
        received.clear()
        resumeReading()
        deadline = .now() + Self.lingerTime
        guard !isStream else { return flushIfNeeded() }
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        isFlushNeeded = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    func tick(at now: NIODeadline) {
        if case .exchanging(let exchange) = state { return exchange.tick(at: now) }
        guard let deadline, deadline <= now else { return }
        switch state {
        case .head where received.readableBytes > 0:
            DenialLog.count(.requestTimeout)
            write(GatewayAnswer(.requestTimeout, to: nil), isToHead: false, closes: true)
            linger()
        case .head, .lingering: context?.close(promise: nil)
        case .judging, .exchanging: break
        }
    }
}
