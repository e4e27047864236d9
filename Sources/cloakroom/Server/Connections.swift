import CloakroomMiddleware
import Foundation
import HummingbirdCore
import Logging

/// File descriptors of this process.
enum Descriptors {
    /// What database, keys and logs need beside connections.
    private static let reserve = 64

    /// Raises the limit to what the system allows.
    /// - Returns: how many connections each of two listeners may have, so that accepting never fails for want of one: a
    ///   listener whose connections cannot be accepted would be woken for them again and again.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 256 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return max(16, (Int(clamping: limit.rlim_cur) - reserve) / 2)
    }
}

/// Stops accepting connections at a number, and says so; the kernel keeps those beyond it waiting.
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
