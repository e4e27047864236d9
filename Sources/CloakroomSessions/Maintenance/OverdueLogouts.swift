import CloakroomCore
import Synchronization

/// Logouts that the store failed to write. This process refuses the sessions and all others of the same login, and writes
/// the logouts as soon as the store takes writes again.
final class OverdueLogouts: Sendable {
    private struct State {
        var waiting: [SessionID: Entry] = [:]
        /// The logins of the waiting sessions.
        var roots: Set<SessionID> = []
    }

    private struct Entry {
        var presented: SessionService.Presented
        /// nil if the store could not even be read.
        var root: SessionID?
    }

    private let state = Mutex(State())
    /// The largest number of waiting logouts. Clients that log out while the disk is full must not fill the memory as
    /// well.
    static let maximum = 65536
    static let period = Duration.milliseconds(500)
    static let failuresPerRound = 16

    /// - Parameter root: the session at the login host from which the presented one was handed over, or that itself.
    /// - Returns: false when the queue is full.
    func insert(_ presented: SessionService.Presented, of root: SessionID?) -> Bool {
        state.withLock { state in
            guard state.waiting.count < Self.maximum || state.waiting[presented.session] != nil else { return false }
            state.waiting[presented.session] = Entry(presented: presented, root: root)
            if let root { state.roots.insert(root) }
            return true
        }
    }

    func contains(_ session: Session) -> Bool {
        contains(session.id) || session.parent.map(contains) ?? false
    }

    /// - Parameter session: that of a waiting logout, or the session at the login host.
    func contains(_ session: SessionID) -> Bool {
        state.withLock { state in
            !state.waiting.isEmpty && (state.waiting[session] != nil || state.roots.contains(session))
        }
    }

    /// Runs after the logout was written, which has ended all sessions of the login.
    func remove(_ session: SessionID) {
        state.withLock { state in
            if let root = state.waiting.removeValue(forKey: session)?.root { state.roots.remove(root) }
        }
    }

    var all: [SessionService.Presented] {
        state.withLock { $0.waiting.values.map(\.presented) }
    }
}
