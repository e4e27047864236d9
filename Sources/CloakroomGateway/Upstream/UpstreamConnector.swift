package import NIOCore
import NIOPosix
import NIOTLS

/// Where an exchange goes.
enum UpstreamEndpoint: Hashable, Sendable {
    /// Our own endpoints, in this process.
    case own
    /// As `own`, for health probes.
    case probe
    case backend(UpstreamAddress)
}

/// Opens connections on an event loop.
package struct UpstreamConnector: Sendable {
    /// Opens a connection to our own endpoints, and calls the closure with its channel before it reads.
    package typealias OwnConnection =
        @Sendable (
            any EventLoop, @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
        ) -> EventLoopFuture<any Channel>

    /// Adds TLS to a connection to this host.
    package typealias Securing = @Sendable (any Channel, _ host: String) throws -> Void

    let own: OwnConnection
    let secure: Securing
    let budget: UpstreamBudget
    static let connectTimeout = TimeAmount.seconds(5)

    /// Fails with `UpstreamBudget.Exhausted`, or with the error of the attempt.
    func connect(_ endpoint: UpstreamEndpoint, on loop: any EventLoop) -> EventLoopFuture<UpstreamConnection> {
        do { try budget.take(endpoint) } catch { return loop.makeFailedFuture(error) }
        let connection = NIOLoopBound(UpstreamConnection(), eventLoop: loop)
        let initialize: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(connection.value) }
        }
        let channel =
            switch endpoint {
            case .own, .probe: own(loop, initialize)
            case .backend(let address): connect(address, on: loop, initialize)
            }
        channel.flatMap(\.closeFuture).whenComplete { [budget] _ in budget.giveBack(endpoint) }
        return channel.map { _ in connection.value }
    }

    /// - Parameter initialize: adds handlers for the bytes of the connection.
    func connect(
        _ address: UpstreamAddress, on loop: any EventLoop,
        _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // One read for each wake-up: the response is written to the browser before the next piece is read.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                do {
                    if address.isTLS, case .network(let host, _) = address.socket {
                        try secure(channel, host)
                        try channel.pipeline.syncOperations.addHandler(HandshakeEnd(channel.eventLoop))
                    }
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
                return initialize(channel)
            }
        let connected =
            switch address.socket {
            case .network(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        guard address.isTLS else { return connected }
        return connected.flatMap { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.handler(type: HandshakeEnd.self).result
            }
            .flatMap { $0 }.map { channel }
        }
    }
}

/// Waits for the end of the TLS handshake: a backend with a certificate that is not trusted cannot be reached, and another
/// has to take its place.
private final class HandshakeEnd: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let promise: EventLoopPromise<Void>

    init(_ loop: any EventLoop) {
        promise = loop.makePromise()
    }

    /// A backend that accepts connections and says nothing would keep the descriptor.
    func channelActive(context: ChannelHandlerContext) {
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: UpstreamConnector.connectTimeout) {
            self.promise.fail(ChannelError.connectTimeout(UpstreamConnector.connectTimeout))
            context.close(promise: nil)
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        context.fireChannelActive()
    }

    var result: EventLoopFuture<Void> { promise.futureResult }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { promise.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
    }
}
