import HummingbirdCore
package import Logging
package import NIOCore

/// Accepts connections for a gateway.
package struct GatewayChannel: ServerChildChannel {
    private let gateway: Gateway
    private let admit: @Sendable (any Channel) throws -> Void
    private let secure: (@Sendable (any Channel) throws -> Void)?

    /// - Parameters:
    ///   - admitting: throws to close a connection that was just accepted.
    ///   - securing: adds TLS to a connection, and offers HTTP/2 and HTTP/1.1; nil for plain HTTP/1.1.
    package init(
        _ gateway: Gateway, admitting: @escaping @Sendable (any Channel) throws -> Void,
        securing: (@Sendable (any Channel) throws -> Void)?
    ) {
        self.gateway = gateway
        admit = admitting
        secure = securing
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedChannel> {
        channel.eventLoop.makeCompletedFuture {
            try admit(channel)
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
        let (end, continuation) = AsyncStream<Never>.makeStream()
        value.channel.closeFuture.whenComplete { _ in continuation.finish() }
        // After the time that requests in flight have to finish, the task is cancelled. It does not wait for the client to
        // agree to the end, as TLS would.
        await withTaskCancellationHandler {
            for await _ in end {}
        } onCancel: {
            value.channel.close(promise: nil)
            continuation.finish()
        }
    }
}

/// A connection of a browser.
package struct AcceptedChannel: ServerChildChannelValue {
    package let channel: any Channel
}
