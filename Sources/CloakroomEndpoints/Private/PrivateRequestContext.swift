import CloakroomMiddleware
package import Hummingbird
import NIOCore
import Synchronization

/// A proxy, scraper or backend that the private listener has let in. What may carry a token outward asks for one.
///
/// Only `admit` makes one, for a connection of the private listener that passed its check; a router with
/// `PrivateRequestContext` that some other listener serves finds none.
package struct AdmittedPeer: Sendable {
    /// nil on a Unix socket.
    package let address: String?

    private init(address: String?) {
        self.address = address
    }

    /// Called by the private listener for each connection, before anything is read.
    /// - Returns: nil for a peer that is neither on this machine nor among the trusted proxies.
    static func admit(_ channel: any Channel, trusting proxies: TrustedProxies) -> AdmittedPeer? {
        let isUnixSocket = channel.localAddress?.pathname != nil
        let address = channel.remoteAddress?.ipAddress
        guard isUnixSocket || TrustedProxies.loopback.contains(address) || proxies.contains(address) else { return nil }
        let peer = AdmittedPeer(address: address)
        let id = ObjectIdentifier(channel)
        admitted.withLock { $0[id] = peer }
        channel.closeFuture.whenComplete { _ in admitted.withLock { $0[id] = nil } }
        return peer
    }

    /// nil for a connection that was not admitted.
    fileprivate static func of(_ channel: any Channel) -> AdmittedPeer? {
        admitted.withLock { $0[ObjectIdentifier(channel)] }
    }

    /// Of the connections that are open.
    private static let admitted = Mutex<[ObjectIdentifier: AdmittedPeer]>([:])
}

/// The context of requests on the private listener, which has a router of its own.
package struct PrivateRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// nil on a connection of any other listener.
    let peer: AdmittedPeer?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = .of(source.channel)
    }
}
