import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Logging
import NIOCore

/// A connection of a browser: reads one request after the other, has each judged, and lets an `Exchange` carry it out.
///
/// It reads the next request only when the response of the last has been written, so that responses keep their order and
/// a client that sends faster than it reads is held back by the kernel.
final class FrontConnection: ChannelDuplexHandler, LoopMember {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum State {
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
    let peer: String?
    /// Whether the channel is a stream of HTTP/2, which ends with its response: nothing has to be closed.
    let isStream: Bool
    var state = State.head
    var context: ChannelHandlerContext?
    private var gate = ReadGate()
    /// What has arrived and belongs to no finished part of a request.
    var received = ByteBuffer()
    var headEnd = HeadEnd()
    var deadline: NIODeadline?
    /// Whether the server is stopping.
    private(set) var isDraining = false
    var isReadingHeads = false
    var isFlushNeeded = false

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
        close()
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
}
