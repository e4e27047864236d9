import NIOCore

/// Limits the time of a whole request from its first byte: a client that sends a byte now and then must not keep its
/// connection forever. It stands before the decoder, which passes a head on only when it is complete.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Called on the event loop when the time is up.
    var isOver: (() -> Void)?
    let limit: TimeAmount
    /// Whether the request that is being received began with the method HEAD.
    var isHead: Bool { method.isHead }
    private var method = RequestMethod()
    /// The deadline of the request that is being received; nil between requests.
    private var end: NIODeadline?
    /// One timer serves several requests: to schedule and cancel a task for each request costs more than the decision
    /// of a check.
    private var timer: Scheduled<Void>?
    private var boundary = RequestBoundary()
    /// A segment of nothing but empty lines would otherwise go through the pipeline byte by byte, and hold up every other
    /// connection of the event loop. What comes behind so many pieces is passed on whole; the idle timeout bounds it.
    static let piecesPerSegment = 32

    init(limit: TimeAmount) {
        self.limit = limit
    }

    /// Passes bytes on in pieces that end where a request may end, so that the next request in the same segment gets
    /// a deadline of its own.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = unwrapInboundIn(data)
        var pieces = 0
        while received.readableBytes > 0 {
            if end == nil { begin(context.eventLoop) }
            pieces += 1
            let isLast = pieces >= Self.piecesPerSegment
            let length =
                isLast
                ? received.readableBytes : received.withUnsafeReadableBytes { boundary.lengthOfPiece(of: $0) }
            received.withUnsafeReadableBytes { method.receive($0.prefix(length)) }
            // Most segments hold one request and nothing else: they are passed on as they came.
            if length == received.readableBytes { return context.fireChannelRead(wrapInboundOut(received)) }
            guard let piece = received.readSlice(length: length) else { return }
            context.fireChannelRead(wrapInboundOut(piece))
        }
    }

    private func begin(_ eventLoop: any EventLoop) {
        method = RequestMethod()
        let end = eventLoop.now + limit
        self.end = end
        if timer == nil { wake(at: end, on: eventLoop) }
    }

    private func wake(at end: NIODeadline, on eventLoop: any EventLoop) {
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: end) { [weak self] in self?.look(eventLoop) }
    }

    /// The timer fired. It belongs to an earlier request, so the deadline of the current one may be later.
    private func look(_ eventLoop: any EventLoop) {
        timer = nil
        guard let end else { return }
        guard end <= eventLoop.now else { return wake(at: end, on: eventLoop) }
        isOver?()
    }

    /// Called while the bytes of a head are passed on.
    func headIsComplete(bodyLength: Int) {
        boundary.expectBody(of: bodyLength)
    }

    func requestIsComplete() {
        end = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }
}
