import NIOCore

/// Counts the time of a whole request from its first byte: a client that sends a byte now and then must not keep its
/// connection for good. Stands before the decoder, which shows nothing of a head until it is complete.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Called on the event loop when the time is up.
    var isOver: (() -> Void)?
    let limit: TimeAmount
    /// Whether the request that is being received began with the method HEAD.
    private(set) var isHead = false
    private var timer: Scheduled<Void>?
    private var boundary = RequestBoundary()

    init(limit: TimeAmount) {
        self.limit = limit
    }

    /// Passes bytes on in pieces that end where a request may end, so that what follows it in the same segment begins a
    /// time of its own.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = unwrapInboundIn(data)
        while received.readableBytes > 0 {
            begin(received, context)
            let length = received.withUnsafeReadableBytes { boundary.lengthOfPiece(of: $0) }
            guard let piece = received.readSlice(length: length) else { return }
            context.fireChannelRead(wrapInboundOut(piece))
        }
    }

    private func begin(_ received: ByteBuffer, _ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        isHead = received.readableBytesView.starts(with: "HEAD ".utf8)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in self?.isOver?() }
    }

    /// Called while the bytes of a head are passed on.
    func headIsComplete(bodyLength: Int) {
        boundary.expectBody(of: bodyLength)
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
