import CloakroomMiddleware
import Foundation
package import HummingbirdCore
import Logging
package import NIOCore
import NIOPosix

/// The public endpoints, for a gateway in the same process: each connection is a pair of sockets that no other process
/// can reach.
package struct InternalEndpoints: Sendable {
    private let channel: ListenerChannel
    private let logger = Logger(label: "cloakroom.http")

    /// - Parameter observing: see `ListenerChannel.publicEndpoints`.
    package init(
        _ server: AuthorizationServer, _ limits: ListenerLimits, _ responder: @escaping HTTPChannelHandler.Responder,
        observing: @escaping @Sendable (Int, Duration) -> Void
    ) {
        channel = .publicEndpoints(server, limits, responder, observing: observing)
    }

    /// Opens a connection on the event loop.
    /// - Parameter initialize: is given the client's side before it reads.
    package func connect(
        _ loop: any EventLoop, _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        var descriptors: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors) == 0 else {
            return loop.makeFailedFuture(IOError(errnoCode: errno, reason: "socketpair"))
        }
        let (channel, logger) = (channel, logger)
        let client = descriptors[1]
        return ClientBootstrap(group: loop)
            .channelInitializer { side in
                channel.setup(channel: side, logger: logger).map { value in
                    Task { await channel.handle(value: value, logger: logger) }
                    return
                }
            }
            .withConnectedSocket(descriptors[0])
            .flatMapErrorThrowing { error in
                close(client)
                throw error
            }
            .flatMap { _ in
                ClientBootstrap(group: loop).channelInitializer(initialize).withConnectedSocket(client)
            }
    }
}
