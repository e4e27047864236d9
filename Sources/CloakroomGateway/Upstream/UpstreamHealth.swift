import NIOCore
import Synchronization

/// Which backends are out of order: those whose health check fails, and those to which a connection has just failed. The
/// latter are left alone for a moment, then tried again by the next request.
package final class UpstreamHealth: Sendable {
    private struct State {
        var failedUntil: [UpstreamAddress: NIODeadline] = [:]
        var unhealthy: Set<HealthCheck> = []
        var next = 0
    }

    private let state = Mutex(State())
    static let pause = TimeAmount.seconds(2)

    package init() {}

    /// The backends of the group that are in order, the one whose turn it is first. A group of one without a health check is
    /// always tried: the attempt says why it fails.
    func candidates(_ group: UpstreamGroup, at now: NIODeadline) -> [UpstreamAddress] {
        guard group.addresses.count > 1 || group.healthPath != nil else { return group.addresses }
        return state.withLock { state in
            state.next &+= 1
            let count = group.addresses.count
            let start = Int(UInt(bitPattern: state.next) % UInt(count))
            return (0..<count).map { group.addresses[(start + $0) % count] }
                .filter { address in
                    let check = group.healthPath.map { HealthCheck(address: address, path: $0) }
                    return (state.failedUntil[address] ?? .distantPast) <= now
                        && !(check.map(state.unhealthy.contains) ?? false)
                }
        }
    }

    func failed(_ address: UpstreamAddress, at now: NIODeadline) {
        state.withLock { $0.failedUntil[address] = now + Self.pause }
    }

    /// - Returns: whether this is news.
    func checked(_ check: HealthCheck, isHealthy: Bool) -> Bool {
        state.withLock { state in
            if isHealthy { return state.unhealthy.remove(check) != nil }
            return state.unhealthy.insert(check).inserted
        }
    }

    func succeeded(_ address: UpstreamAddress) {
        state.withLock { state in
            if state.failedUntil[address] != nil { state.failedUntil[address] = nil }
        }
    }
}

/// One question for health: rules may ask one backend at several paths.
struct HealthCheck: Hashable, Sendable {
    let address: UpstreamAddress
    let path: String
}
