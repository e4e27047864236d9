import NIOCore

/// Counts the time of a whole request from its first byte: a client that sends a byte now and then must not keep its
/// connection for good. Stands before the decoder, which shows nothing of a head until it is complete.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Called on the event loop when the time is up.
    var isOver: (() -> Void)?
    let limit: TimeAmount
    /// Whether the request that is being received began as one whose answer has no body.
    private(set) var isHead = false
    private var timer: Scheduled<Void>?

    init(limit: TimeAmount) {
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if timer == nil {
            isHead = unwrapInboundIn(data).readableBytesView.starts(with: "HEAD ".utf8)
            timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in self?.isOver?() }
        }
        context.fireChannelRead(data)
    }

    func requestIsComplete() {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        requestIsComplete()
        context.fireChannelInactive()
    }
}
