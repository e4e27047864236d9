import CloakroomMiddleware
import Synchronization

/// Limits the descriptors that connections to backends and to our own endpoints use. Over HTTP/2 one connection of a
/// browser has up to a hundred requests at once, so the limit of browsers' connections does not limit those behind.
///
/// Each kind of connection has a share of its own: a login must be possible while every backend is busy, and a health
/// probe while every other endpoint of ours is.
final class UpstreamBudget: Sendable {
    private let backends: Share
    private let own: Share
    private let probes: Share

    /// No descriptor is left for another connection.
    struct Exhausted: Error {}

    /// - Parameter maximum: in descriptors. A connection to our own endpoints has two, because the other end of the pair of
    ///   sockets is in this process.
    init(maximum: Int) {
        own = Share(maximum / 4 / 2)
        probes = Share(max(1, maximum / 64))
        backends = Share(maximum - maximum / 4 - 2 * max(1, maximum / 64))
    }

    /// - Throws: `Exhausted`.
    func take(_ endpoint: UpstreamEndpoint) throws(Exhausted) {
        try share(of: endpoint).take()
    }

    func giveBack(_ endpoint: UpstreamEndpoint) {
        share(of: endpoint).giveBack()
    }

    /// One client's place among the requests that use a share.
    final class Place {
        private let share: Share
        private let client: [ClientNetwork]

        fileprivate init(_ share: Share, _ client: [ClientNetwork]) {
            self.share = share
            self.client = client
        }

        deinit { share.leave(client) }
    }

    /// - Parameter client: the networks of the client, narrowest first.
    /// - Returns: nil when half of the connections of the share are in use, and a quarter of them would be those of the
    ///   client's network, or half of them those of a wider network: a client that sends its requests slowly could keep all
    ///   others out.
    func place(for client: [ClientNetwork], at endpoint: UpstreamEndpoint) -> Place? {
        let share = share(of: endpoint)
        return share.enter(client) ? Place(share, client) : nil
    }

    private func share(of endpoint: UpstreamEndpoint) -> Share {
        switch endpoint {
        case .own: own
        case .probe: probes
        case .backend: backends
        }
    }
}

/// The connections of one kind, and the requests that use them, by the networks of their clients.
private final class Share: Sendable {
    private let maximum: Int
    private let used = Atomic<Int>(0)
    private let requests = Mutex<[ClientNetwork: Int]>([:])

    init(_ maximum: Int) {
        self.maximum = maximum
    }

    func take() throws(UpstreamBudget.Exhausted) {
        guard used.add(1, ordering: .relaxed).newValue <= maximum else {
            used.subtract(1, ordering: .relaxed)
            throw UpstreamBudget.Exhausted()
        }
    }

    func giveBack() {
        used.subtract(1, ordering: .relaxed)
    }

    func enter(_ client: [ClientNetwork]) -> Bool {
        let isCrowded = used.load(ordering: .relaxed) > maximum / 2
        return requests.withLock { requests in
            guard !isCrowded || client.indices.allSatisfy({ requests[client[$0], default: 0] < limit(at: $0) }) else {
                return false
            }
            for network in client { requests[network, default: 0] += 1 }
            return true
        }
    }

    func leave(_ client: [ClientNetwork]) {
        requests.withLock { requests in
            for network in client {
                let count = requests[network, default: 1] - 1
                requests[network] = count == 0 ? nil : count
            }
        }
    }

    /// The most requests of a network while the share is crowded.
    /// - Parameter index: 0 for the narrowest network of the client.
    private func limit(at index: Int) -> Int {
        max(1, index == 0 ? maximum / 4 : maximum / 2)
    }
}
