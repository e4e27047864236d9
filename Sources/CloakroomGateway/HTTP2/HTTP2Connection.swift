import NIOCore
import NIOHTTP2

/// A connection of HTTP/2: it has streams, each of which is a channel of its own, or is idle.
final class HTTP2Connection: ChannelInboundHandler, LoopMember {
    typealias InboundIn = Any

    private let gateway: Gateway
    private let loop: GatewayLoop
    private var context: ChannelHandlerContext?
    private var streams = 0
    private(set) var idleSince: NIODeadline? = .now()

    /// The time from GOAWAY, which NIO sends to an idle client, to the close. NIO waits for the answer to a ping, and a
    /// client that never answers would stay.
    private static let patience = TimeAmount.seconds(9)

    init(_ gateway: Gateway, _ loop: GatewayLoop) {
        self.gateway = gateway
        self.loop = loop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.remove(self)
    }

    func opened(_ stream: any Channel) {
        streams += 1
        idleSince = nil
        stream.closeFuture.assumeIsolated().whenComplete { _ in
            self.streams -= 1
            if self.streams == 0 { self.idleSince = .now() }
        }
    }

    /// `ConnectionEnd` closes the connection after errors of the protocol.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !(error is any NIOHTTP2Error) else { return }
        context.close(promise: nil)
    }

    /// The signal that the server stops reaches the connection, and none of its streams.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { gateway.drain(context.eventLoop) }
        context.fireUserInboundEventTriggered(event)
    }

    func tick(at now: NIODeadline) {
        guard let idleSince, idleSince + gateway.limits.idle + Self.patience < now else { return }
        close()
    }

    /// `NIOHTTP2ServerConnectionManagementHandler` lets the streams end.
    func drain() {}

    func close() {
        context?.close(promise: nil)
    }
}
