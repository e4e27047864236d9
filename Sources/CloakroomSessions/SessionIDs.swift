import CloakroomCore
import CloakroomTokens
import Synchronization

/// Makes the ids of new sessions. Each has an entry of its own in a status list, and neither the store nor another instance
/// has to agree (decision 0029).
///
/// A process draws the name of a list, 72 random bits, and gives each index of it to one session, in random order: an
/// outsider then cannot count the sessions. After 65,536 sessions it draws the next list.
final class SessionIDs: Sendable {
    private struct State {
        var list: [UInt8] = []
        /// The indexes of the list that no session has yet.
        var free: [UInt16] = []
    }

    private let state = Mutex(State())

    /// The number of random bytes that an id takes.
    static let randomSize = StatusListEntry.prefixSize + StatusListEntry.listSize + MemoryLayout<UInt64>.size

    /// - Parameter random: `randomSize` bytes from a cryptographically secure generator.
    func next(_ random: [UInt8]) -> SessionID {
        let prefix = Array(random.prefix(StatusListEntry.prefixSize))
        let list = Array(random.dropFirst(prefix.count).prefix(StatusListEntry.listSize))
        let choice = random.suffix(MemoryLayout<UInt64>.size).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return state.withLock { state in
            if state.free.isEmpty { state = State(list: list, free: Array(0...UInt16.max)) }
            state.free.swapAt(Int(choice % UInt64(state.free.count)), state.free.count - 1)
            return StatusListEntry.session(prefix: prefix, list: state.list, index: state.free.removeLast())
        }
    }
}
