import Synchronization

/// Limits the descriptors that connections to backends and to our own endpoints use. Over HTTP/2 one connection of a
/// browser has up to a hundred requests at once, so the limit of browsers' connections does not limit those behind.
final class UpstreamBudget: Sendable {
    /// The most descriptors of connections to backends.
    private let backends: Int
    /// Those of connections to our own endpoints: a login must be possible while every backend is busy.
    private let own: Int
    private let usedByBackends = Atomic<Int>(0)
    private let usedByOwn = Atomic<Int>(0)
    private let requests = Mutex<[String: Int]>([:])

    /// No descriptor is left for another connection.
    struct Exhausted: Error {}

    /// - Parameter maximum: in descriptors.
    init(maximum: Int) {
        own = maximum / 4
        backends = maximum - own
    }

    /// - Throws: `Exhausted`.
    func take(_ endpoint: UpstreamEndpoint) throws(Exhausted) {
        switch endpoint {
        case .own: try Self.take(2, of: own, usedByOwn)
        case .backend: try Self.take(1, of: backends, usedByBackends)
        }
    }

    func giveBack(_ endpoint: UpstreamEndpoint) {
        switch endpoint {
        // The other end of the pair of sockets is in this process.
        case .own: usedByOwn.subtract(2, ordering: .relaxed)
        case .backend: usedByBackends.subtract(1, ordering: .relaxed)
        }
    }

    private static func take(_ count: Int, of maximum: Int, _ used: borrowing Atomic<Int>) throws(Exhausted) {
        guard used.add(count, ordering: .relaxed).newValue <= maximum else {
            used.subtract(count, ordering: .relaxed)
            throw Exhausted()
        }
    }

    /// One client's place among the requests that backends work on.
    final class Place {
        private let budget: UpstreamBudget
        private let client: String

        fileprivate init(_ budget: UpstreamBudget, _ client: String) {
            self.budget = budget
            self.client = client
        }

        deinit { budget.leave(client) }
    }

    /// - Returns: nil when half of the connections are in use, and a quarter of them would be this client's: one that
    ///   sends its requests slowly could keep all others out.
    func place(for client: String) -> Place? {
        let isCrowded = usedByBackends.load(ordering: .relaxed) > backends / 2
        let isAdmitted = requests.withLock { requests in
            let count = requests[client, default: 0]
            guard !isCrowded || count < backends / 4 else { return false }
            requests[client] = count + 1
            return true
        }
        return isAdmitted ? Place(self, client) : nil
    }

    private func leave(_ client: String) {
        requests.withLock { requests in
            let count = requests[client, default: 1] - 1
            requests[client] = count == 0 ? nil : count
        }
    }
}
