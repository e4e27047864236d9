import CloakroomMiddleware
public import Hummingbird
import NIOCore
import Synchronization

/// A proxy, scraper or backend with a connection that the private listener has accepted. Code that puts a token into a
/// response needs a value of this type.
///
/// Only `admit` makes one, for a connection that passed the private listener's check. A router with
/// `PrivateRequestContext` on another listener has none.
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

    /// The admitted peers of all open connections.
    private static let admitted = Mutex<[ObjectIdentifier: AdmittedPeer]>([:])
}

/// The context of requests on the private listener, which has a router of its own.
public struct PrivateRequestContext: RequestContext {
    /// The framework's storage.
    public var coreContext: CoreRequestContextStorage
    /// nil on a connection of any other listener.
    let peer: AdmittedPeer?

    /// Creates the context for a request, as the framework calls it.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = .of(source.channel)
    }
}
