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
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            HTTP2Setting(parameter: .maxHeaderListSize, value: gateway.limits.longestHead),
        ]
        let connection = HTTP2Connection(gateway, gateway.loop(channel.eventLoop))
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(ConnectionEnd())
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: configuration, streamConfiguration: .init(),
            streamDelegate: management.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                bound.value.opened(stream)
                try stream.pipeline.syncOperations.addHandler(HTTP2Stream())
                try gateway.serve(stream, peer: peer, isStream: true)
            }
        }
        try channel.pipeline.syncOperations.addHandlers([management, connection])
        // The connection is active already; its timers begin with this event.
        let http2 = try channel.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
        http2.fireChannelActive()
    }
}

/// Closes a connection that has ended with an error: behind the GOAWAY frame that says so, a client would wait for
/// answers. NIO reports the error of a stream in the same way as that of the connection, but sends no such frame for it.
private final class ConnectionEnd: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let isEnd = if case .byteBuffer(let frame) = unwrapOutboundIn(data) { Self.isError(frame) } else { false }
        context.write(data, promise: promise)
        guard isEnd else { return }
        context.eventLoop.assumeIsolated().execute { context.close(promise: nil) }
    }

    /// Whether the bytes are a GOAWAY frame with an error code (RFC 9113 sections 4.1 and 6.8).
    private static func isError(_ frame: ByteBuffer) -> Bool {
        let start = frame.readerIndex
        guard frame.readableBytes >= 17, frame.getInteger(at: start + 3, as: UInt8.self) == 7 else { return false }
        return frame.getInteger(at: start + 13, as: UInt32.self) != 0
    }
}
