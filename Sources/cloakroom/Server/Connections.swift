import CloakroomMiddleware
import Foundation
import HummingbirdCore
import Logging

/// The limit of file descriptors of this process.
enum Descriptors {
    /// The number of descriptors reserved for database, keys and logs.
    private static let reserve = 64

    /// Raises the soft limit to the hard limit.
    /// - Returns: the number of connections that each of two listeners may have, so that accepting never fails for
    ///   lack of a descriptor: a listener that cannot accept would wake up again and again.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 256 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return max(16, (Int(clamping: limit.rlim_cur) - reserve) / 2)
    }
}

/// Stops accepting connections at a maximum, and logs it. The kernel keeps further connections waiting.
struct ConnectionCap: AvailableConnectionsDelegate {
    let maximum: Int
    let log: SampledLog
    private var count = 0

    init(maximum: Int, log: SampledLog) {
        self.maximum = maximum
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
        log.warning(
            "no more connections are accepted until some are closed; see the setting maxConnections",
            metadata: ["connections": "\(count)"])
        return false
    }
}
