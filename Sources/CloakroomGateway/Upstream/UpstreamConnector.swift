package import NIOCore
import NIOPosix

/// Where an exchange goes.
enum UpstreamEndpoint: Hashable, Sendable {
    /// Our own endpoints, in this process.
    case own
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
    static let connectTimeout = TimeAmount.seconds(5)

    func connect(_ endpoint: UpstreamEndpoint, on loop: any EventLoop) -> EventLoopFuture<UpstreamConnection> {
        let connection = NIOLoopBound(UpstreamConnection(), eventLoop: loop)
        let initialize: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(connection.value) }
        }
        let channel =
            switch endpoint {
            case .own: own(loop, initialize)
            case .backend(let address): connect(address, on: loop, initialize)
            }
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
                    if address.isTLS, case .network(let host, _) = address.socket { try secure(channel, host) }
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
                return initialize(channel)
            }
        switch address.socket {
        case .network(let host, let port): return bootstrap.connect(host: host, port: port)
        case .unix(let path): return bootstrap.connect(unixDomainSocketPath: path)
        }
    }
}
