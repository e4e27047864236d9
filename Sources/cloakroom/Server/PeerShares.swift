import CloakroomMiddleware
import Logging
import NIOCore
import Synchronization

/// Counts the connections of a listener by the networks of their peers, so that one client that opens connections and
/// sends nothing cannot keep all others out.
///
/// Trusted proxies and local processes may have any number: their connections carry the requests of many clients.
final class PeerShares: Sendable {
    private struct Counts {
        var all = 0
        var networks: [ClientNetwork: Int] = [:]
    }

    private let maximum: Int
    private let exempt: [TrustedProxies]
    private let log: SampledLog
    private let counts = Mutex(Counts())

    /// The connection would exceed the share of its network.
    struct Exceeded: Error {}

    /// - Parameter maximum: the most connections that the listener accepts.
    init(of maximum: Int, trusting proxies: TrustedProxies, log: SampledLog) {
        self.maximum = maximum
        exempt = [proxies, .loopback]
        self.log = log
    }

    /// Counts the connection until it is closed.
    /// - Throws: `Exceeded`, after which the caller closes the connection.
    func admit(_ channel: any Channel) throws {
        guard let networks = try enter(channel.remoteAddress?.ipAddress) else { return }
        channel.closeFuture.whenComplete { _ in self.leave(networks) }
    }

    /// - Returns: what `leave` takes; nil for a peer that is not counted by its network.
    /// - Throws: `Exceeded` when half of the connections are in use, and a quarter of them would be those of the peer's
    ///   network, or half of them those of a wider network.
    func enter(_ peer: String?) throws -> [ClientNetwork]? {
        guard let peer, !exempt.contains(where: { $0.contains(peer) }) else { return nil }
        let networks = ClientNetwork.all(of: peer)
        let isAdmitted = counts.withLock { counts in
            let isCrowded = counts.all >= maximum / 2
            for (index, network) in networks.enumerated() where isCrowded {
                guard counts.networks[network, default: 0] < max(1, maximum / (index == 0 ? 4 : 2)) else {
                    return false
                }
            }
            counts.all += 1
            for network in networks { counts.networks[network, default: 0] += 1 }
            return true
        }
        guard isAdmitted else {
            log.warning(
                "a connection was refused: its network has its share of all connections", metadata: ["ip": "\(peer)"])
            throw Exceeded()
        }
        return networks
    }

    func leave(_ networks: [ClientNetwork]) {
        counts.withLock { counts in
            counts.all -= 1
            for network in networks {
                let count = counts.networks[network, default: 1] - 1
                counts.networks[network] = count == 0 ? nil : count
            }
        }
    }
}
