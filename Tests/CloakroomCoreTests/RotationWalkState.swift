/// One state of the walk: the store's row, the browser's cookie jar, and what is in flight between them.
///
/// Time has no ticks. Every timer is W long (the straggler window, and the bound on each half of a round trip), so timers
/// end in the order in which they began, and the order is all that has to be kept: windows are marked 0, 1, ... in the
/// order in which they opened, and a message with mark m began after the windows before m and before window m. Window 0
/// can close at any moment; every message that began before it has arrived or is lost by then.
struct RotationWalkState: Hashable {
    struct Message: Hashable {
        enum Kind: Int {
            case refresh, stepUp
            /// An answer that carries a refresh token, or several of the same.
            case answer, answers
        }

        var kind: Kind
        var generation: Int
        var mark: Int
    }

    /// Later than every mark of the state.
    static let now = 100

    var row = RotationRow()
    /// What the row was before, newest last: what a failover can bring back.
    var history: [RotationRow] = []
    var lossesLeft = 0
    /// After a loss, where the walk assumes some calm: since when, and how many windows more.
    var calm: Int?
    var calmWindows = 0
    var jar = 0
    /// The newest generation that the jar ever held. Access tokens of it and of all before it may still be in use.
    var newest = 0
    /// The newest generation that was ever handed out; after a loss the row is behind it.
    var issued = 0
    var requests: [Message] = []
    var answers: [Message] = []
    var theft: RotationTheft?

    /// The oldest window closes, and what began before it has arrived by now or never will.
    mutating func closeOldestWindow() {
        requests.removeAll { $0.mark == 0 }
        answers.removeAll { $0.mark == 0 }
        row.end(0)
        for index in history.indices { history[index].end(0) }
        if calm == 0 {
            calmWindows -= 1
            calm = calmWindows > 0 ? Self.now : nil
        }
    }

    /// Whether the row, or one that can come back, has a window that is counted by the store's clock.
    var hasOpenWindow: Bool {
        ([row] + history).contains { if case .open = $0.confirmation { true } else { false } }
    }

    mutating func setClockBack() {
        row.setClockBack()
        for index in history.indices { history[index].setClockBack() }
    }

    /// The marks of all that is counted from, oldest first.
    var marks: [Int] {
        if history.isEmpty, calm == nil { return row.marks.sorted() }
        return Set(history.flatMap(\.marks) + row.marks + [calm].compactMap(\.self)).sorted()
    }
}
