import NIOCore

/// Counts the time of a whole request from its first byte: a client that sends a byte now and then must not keep its
/// connection for good. Stands before the decoder, which shows nothing of a head until it is complete.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Called on the event loop when the time is up.
    var isOver: (() -> Void)?
    private let limit: TimeAmount
    private var timer: Scheduled<Void>?

    init(limit: TimeAmount) {
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if timer == nil {
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
