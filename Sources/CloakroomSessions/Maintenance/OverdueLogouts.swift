import CloakroomCore
import Synchronization

/// Logouts that the store did not take: the sessions are refused by this process, and the logout is written as soon as
/// the store takes writes again.
final class OverdueLogouts: Sendable {
    private struct State {
        var waiting: [SessionID: SessionService.Presented] = [:]
    }

    private let state = Mutex(State())
    /// Who logs out while the disk is full cannot fill the memory too.
    static let maximum = 65536
    static let period = Duration.milliseconds(500)

    /// - Returns: false when there are too many.
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
