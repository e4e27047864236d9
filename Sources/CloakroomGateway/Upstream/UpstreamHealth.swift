import NIOCore
import Synchronization

/// Which backends failed lately. A failed one is left alone for a moment, then tried again by the next request.
package final class UpstreamHealth: Sendable {
    private struct State {
        var failedUntil: [UpstreamAddress: NIODeadline] = [:]
        var next = 0
    }

    private let state = Mutex(State())
    static let pause = TimeAmount.seconds(2)

    package init() {}

    /// The backends of the group that have not failed lately, the one whose turn it is first. A group of one is always
    /// tried: its failure is told by the attempt.
    func candidates(_ group: UpstreamGroup, at now: NIODeadline) -> [UpstreamAddress] {
        guard group.addresses.count > 1 else { return group.addresses }
        return state.withLock { state in
            state.next &+= 1
            let count = group.addresses.count
            let start = Int(UInt(bitPattern: state.next) % UInt(count))
            return (0..<count).map { group.addresses[(start + $0) % count] }
                .filter { (state.failedUntil[$0] ?? .distantPast) <= now }
        }
    }

    func failed(_ address: UpstreamAddress, at now: NIODeadline) {
        state.withLock { $0.failedUntil[address] = now + Self.pause }
    }

    func succeeded(_ address: UpstreamAddress) {
        state.withLock { state in
            if state.failedUntil[address] != nil { state.failedUntil[address] = nil }
        }
    }
}
