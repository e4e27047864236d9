import CloakroomMiddleware
package import Hummingbird
import NIOCore

/// A proxy, scraper or backend that the private listener has let in. What may carry a token outward asks for one.
///
/// Only `PrivateRequestContext` and `AdmittedPeer.admit` make one, and both take a connection of the private listener.
package struct AdmittedPeer: Sendable {
    /// nil on a Unix socket.
    package let address: String?

    private init(address: String?) {
        self.address = address
    }

    /// nil for a peer that is neither on this machine nor among the trusted proxies.
    static func admit(_ channel: any Channel, trusting proxies: TrustedProxies) -> AdmittedPeer? {
        let isUnixSocket = channel.localAddress?.pathname != nil
        let address = channel.remoteAddress?.ipAddress
        guard isUnixSocket || TrustedProxies.loopback.contains(address) || proxies.contains(address) else { return nil }
        return AdmittedPeer(address: address)
    }

    fileprivate static func ofPrivateConnection(_ channel: any Channel) -> AdmittedPeer {
        AdmittedPeer(address: channel.remoteAddress?.ipAddress)
    }
}

/// The context of requests on the private listener, which has a router of its own.
package struct PrivateRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The peer was admitted when it connected.
    let peer: AdmittedPeer

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = .ofPrivateConnection(source.channel)
    }
}
