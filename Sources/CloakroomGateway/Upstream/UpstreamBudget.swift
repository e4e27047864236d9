import Synchronization

/// Limits the descriptors that connections to backends and to our own endpoints use. Over HTTP/2 one connection of a
/// browser has up to a hundred requests at once, so the limit of browsers' connections does not limit those behind.
final class UpstreamBudget: Sendable {
    private let maximum: Int
    private let used = Atomic<Int>(0)

    /// No descriptor is left for another connection.
    struct Exhausted: Error {}

    /// - Parameter maximum: in descriptors.
    init(maximum: Int) {
        self.maximum = maximum
    }

    /// - Throws: `Exhausted`.
    func take(_ descriptors: Int) throws(Exhausted) {
        guard used.add(descriptors, ordering: .relaxed).newValue <= maximum else {
            giveBack(descriptors)
            throw Exhausted()
        }
    }

    func giveBack(_ descriptors: Int) {
        used.subtract(descriptors, ordering: .relaxed)
    }
}

extension UpstreamEndpoint {
    /// The number of descriptors of a connection. Our own endpoints are the other end of a pair of sockets.
    var descriptors: Int {
        switch self {
        case .own: 2
        case .backend: 1
        }
    }
}
