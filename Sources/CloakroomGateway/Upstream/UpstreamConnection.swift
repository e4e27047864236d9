import NIOCore

/// One connection to a backend. It carries one exchange at a time.
final class UpstreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// nil between exchanges.
    var exchange: Exchange?
    /// The pool of its backend, which lives as long as the event loop.
    var pool: UpstreamPool?
    /// Whether an earlier exchange used the connection: the backend may be closing it at this moment.
    private(set) var isReused = false
    private(set) var idleSince = NIODeadline.now()
    /// Whether the connection ended by an error, and not by the backend's FIN.
    private(set) var isBroken = false
    private var context: ChannelHandlerContext?
    private var gate = ReadGate()

    var isActive: Bool { context?.channel.isActive == true }
    var isWritable: Bool { context?.channel.isWritable == true }

    func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        context.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// Keeps the connection for another exchange.
    func release() {
        guard let pool else { return close() }
        pool.giveBack(self)
    }

    func close() {
        exchange = nil
        context?.close(promise: nil)
    }

    func pauseReading() {
        gate.isPaused = true
    }

    func resumeReading() {
        gate.isPaused = false
        if let context, gate.takePendingRead() { context.read() }
    }

    /// Ends an exchange; the connection is ready for the next.
    func becomeIdle() {
        exchange = nil
        isReused = true
        idleSince = .now()
        resumeReading()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else {
            // No request is waiting. These bytes would be read as the response to the next request.
            return context.close(promise: nil)
        }
        exchange.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.upstreamReadComplete()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let exchange {
            self.exchange = nil
            exchange.upstreamClosed(self)
        } else {
            pool?.forget(self)
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.upstreamIsWritable() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if gate.admitsRead() { context.read() }
    }
}

/// Holds back reads, so that the kernel slows a sender down while the receiver of its bytes is slow.
struct ReadGate {
    var isPaused = false
    private var hasPendingRead = false

    /// - Returns: false when the read has to wait for `takePendingRead`.
    mutating func admitsRead() -> Bool {
        hasPendingRead = isPaused
        return !isPaused
    }

    mutating func takePendingRead() -> Bool {
        defer { hasPendingRead = false }
        return hasPendingRead && !isPaused
    }
}
