import NIOCore
import NIOHTTP2
import NIOTLS

extension GatewayChannel {
    /// Serves HTTP/2 or HTTP/1.1 by what client and server have agreed on in the TLS handshake.
    static func serveNegotiated(_ gateway: Gateway, on channel: any Channel) throws {
        let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
            channel.eventLoop.makeCompletedFuture {
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
                try gateway.serve(stream, peer: peer)
            }
        }
        try channel.pipeline.syncOperations.addHandler(management)
    }
}
