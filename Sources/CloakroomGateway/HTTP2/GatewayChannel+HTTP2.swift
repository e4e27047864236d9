import NIOCore
import NIOHTTP2
import NIOTLS

extension GatewayChannel {
    /// Serves HTTP/2 or HTTP/1.1 by what client and server have agreed on in the TLS handshake.
    static func serveNegotiated(_ gateway: Gateway, on channel: any Channel) throws {
        // A client that never finishes the handshake must not keep the connection.
        let deadline = channel.eventLoop.scheduleTask(in: gateway.limits.head) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
        let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
            deadline.cancel()
            return channel.eventLoop.makeCompletedFuture {
                switch result {
                case .negotiated("h2"): try serveHTTP2(gateway, on: channel)
                case .negotiated, .fallback: try gateway.serve(channel)
                }
            }
        }
        try channel.pipeline.syncOperations.addHandler(negotiation)
    }

    private static func serveHTTP2(_ gateway: Gateway, on channel: any Channel) throws {
        let peer = channel.remoteAddress?.ipAddress
        let management = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: gateway.limits.idle, maxAge: nil, maxGraceTime: .seconds(9),
                keepalive: .init(pingInterval: .seconds(60), ackTimeout: .seconds(20))))
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            HTTP2Setting(parameter: .maxHeaderListSize, value: gateway.limits.longestHead),
        ]
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: .init(),
            streamDelegate: management.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(HTTP2Stream())
                try gateway.serve(stream, peer: peer, isStream: true)
            }
        }
        try channel.pipeline.syncOperations.addHandlers([management, StreamDrain(gateway)])
        // The connection is active already; its timers begin with this event.
        let http2 = try channel.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
        http2.fireChannelActive()
    }
}

/// Tells the streams of a connection that the server stops: each is a channel of its own, which no signal reaches. Ends a
/// connection with an error.
private final class StreamDrain: ChannelInboundHandler {
    typealias InboundIn = Any

    private let gateway: Gateway

    init(_ gateway: Gateway) {
        self.gateway = gateway
    }

    /// The handler before has sent GOAWAY. Without a close, the client would wait for an answer.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { gateway.drain(context.eventLoop) }
        context.fireUserInboundEventTriggered(event)
    }
}
