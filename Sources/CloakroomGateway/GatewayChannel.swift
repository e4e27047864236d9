import HummingbirdCore
package import Logging
package import NIOCore

/// Accepts connections for a gateway.
package struct GatewayChannel: ServerChildChannel {
    private let gateway: Gateway
    private let secure: (@Sendable (any Channel) throws -> Void)?

    /// - Parameter securing: adds TLS to a connection, and offers HTTP/2 and HTTP/1.1; nil for plain HTTP/1.1.
    package init(_ gateway: Gateway, securing: (@Sendable (any Channel) throws -> Void)?) {
        self.gateway = gateway
        secure = securing
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedChannel> {
        channel.eventLoop.makeCompletedFuture {
            // One read for each wake-up: what was read is passed on before the next piece is read, so that memory does not
            // grow with the body.
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            // A client that is gone must not keep a backend busy. It looks like one that has only finished its request.
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            if let secure {
                try secure(channel)
                try Self.serveNegotiated(gateway, on: channel)
            } else {
                try gateway.serve(channel)
            }
            return AcceptedChannel(channel: channel)
        }
    }

    package func handle(value: AcceptedChannel, logger: Logger) async {
        // After the time that requests in flight have to finish, the task is cancelled.
        await withTaskCancellationHandler {
            try? await value.channel.closeFuture.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}

/// A connection of a browser.
package struct AcceptedChannel: ServerChildChannelValue {
    package let channel: any Channel
}
