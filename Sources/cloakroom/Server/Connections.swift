import CloakroomMiddleware
import Foundation
import HummingbirdCore
import Logging
import Synchronization

/// The limit of file descriptors of this process.
enum Descriptors {
    /// The number of descriptors reserved for database, keys and logs.
    private static let reserve = 64

    /// Raises the soft limit to the hard limit.
    /// - Returns: the number of descriptors for connections.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur) - reserve
    }
}

/// Who may use how many descriptors, so that accepting never fails for lack of one: a listener that cannot accept would
/// wake up again and again. Many connections on one listener leave the other one its share.
struct DescriptorShares {
    let publicListener: Int
    let privateListener: Int
    /// A gateway's connections to backends, and the pairs of sockets to our own endpoints.
    let upstream: Int

    init(of descriptors: Int, hasGateway: Bool) {
        publicListener = max(16, descriptors / 2)
        upstream = hasGateway ? max(16, descriptors / 3) : 0
        privateListener = max(16, hasGateway ? descriptors / 6 : descriptors / 2)
    }
}

/// Makes room for new connections by closing idle ones, once there is something that can.
final class Crowding: Sendable {
    private let closeIdle = Mutex<(@Sendable () -> Void)?>(nil)

    func relieve(by closeIdle: @escaping @Sendable () -> Void) {
        self.closeIdle.withLock { $0 = closeIdle }
    }

    func makeRoom() {
        closeIdle.withLock { $0 }?()
    }
}

/// Stops accepting connections at a maximum, and logs it. The kernel keeps further connections waiting.
struct ConnectionCap: AvailableConnectionsDelegate {
    let maximum: Int
    let crowding: Crowding
    let log: SampledLog
    private var count = 0

    init(maximum: Int, crowding: Crowding, log: SampledLog) {
        self.maximum = maximum
        self.crowding = crowding
        self.log = log
    }

    mutating func connectionOpened() {
        count += 1
    }

    mutating func connectionClosed() {
        count -= 1
    }

    func isAcceptingNewConnections() -> Bool {
        guard count >= maximum else { return true }
        crowding.makeRoom()
        log.warning(
            "no more connections are accepted until some are closed; see the setting maxConnections",
            metadata: ["connections": "\(count)"])
        return false
    }
}
