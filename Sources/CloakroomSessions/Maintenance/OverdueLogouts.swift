import CloakroomCore
import Synchronization

/// Logouts that the store failed to write. This process refuses the sessions, and writes the logouts as soon as the
/// store takes writes again.
final class OverdueLogouts: Sendable {
    private struct State {
        var waiting: [SessionID: SessionService.Presented] = [:]
    }

    private let state = Mutex(State())
    /// The largest number of waiting logouts. Clients that log out while the disk is full must not fill the memory as
    /// well.
    static let maximum = 65536
    static let period = Duration.milliseconds(500)
    static let failuresPerRound = 16

    /// - Returns: false when the queue is full.
    func insert(_ presented: SessionService.Presented) -> Bool {
        state.withLock { state in
            guard state.waiting.count < Self.maximum || state.waiting[presented.session] != nil else { return false }
            state.waiting[presented.session] = presented
            return true
        }
    }

    func contains(_ session: SessionID) -> Bool {
        state.withLock { !$0.waiting.isEmpty && $0.waiting[session] != nil }
    }

    func remove(_ session: SessionID) {
        state.withLock { $0.waiting[session] = nil }
    }

    var all: [SessionService.Presented] {
        state.withLock { Array($0.waiting.values) }
    }
}
