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

    let own: OwnConnection
    let tls: (@Sendable (any Channel, UpstreamAddress) throws -> Void)?
    static let connectTimeout = TimeAmount.seconds(5)

    func connect(_ endpoint: UpstreamEndpoint, on loop: any EventLoop) -> EventLoopFuture<UpstreamConnection> {
        let connection = NIOLoopBound(UpstreamConnection(), eventLoop: loop)
        let initialize: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            channel.eventLoop.makeCompletedFuture {
                if case .backend(let address) = endpoint, address.isTLS { try tls?(channel, address) }
                try channel.pipeline.syncOperations.addHandler(connection.value)
            }
        }
        return channel(endpoint, on: loop, initialize).map { _ in connection.value }
    }

    private func channel(
        _ endpoint: UpstreamEndpoint, on loop: any EventLoop,
        _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        switch endpoint {
        case .own: return own(loop, initialize)
        case .backend(let address):
            let bootstrap = ClientBootstrap(group: loop)
                .connectTimeout(Self.connectTimeout)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                // One read for each wake-up: the response is written to the browser before the next piece is read.
                .channelOption(.maxMessagesPerRead, value: 1)
                .channelInitializer(initialize)
            switch address.socket {
            case .network(let host, let port): return bootstrap.connect(host: host, port: port)
            case .unix(let path): return bootstrap.connect(unixDomainSocketPath: path)
            }
        }
    }
}
