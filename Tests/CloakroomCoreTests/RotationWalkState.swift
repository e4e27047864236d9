/// One state of the walk: the store's row, the browser's cookie jar, and the messages in flight between them.
///
/// There is no clock. Every timer lasts W (the straggler window, and the bound on each half of a round trip), so timers
/// end in the order in which they began, and the state keeps only this order. Windows have the marks 0, 1, ... in the
/// order in which they opened. A message with mark m was sent after the windows below m opened and before window m
/// opened. Window 0 can close at any time. Every message that was sent before it opened has arrived or is lost when it
/// closes.
struct RotationWalkState: Hashable {
    struct Message: Hashable {
        enum Kind: Int {
            case refresh, stepUp, handOver
            /// A response with a refresh token, or several responses with the same one.
            case answer, answers
        }

        var kind: Kind
        var generation: Int
        var mark: Int
    }

    /// Later than every mark of the state.
    static let now = 100

    var row = RotationRow()
    /// The earlier rows that a failover can bring back, newest last.
    var history: [RotationRow] = []
    var lossesLeft = 0
    /// After a loss, if the walk then allows no step-ups inside a window: since when, and for how many more windows.
    var calm: Int?
    var calmWindows = 0
    var jar = 0
    /// The newest generation that was ever in the jar. Access tokens of it and of all earlier ones may still be in use.
    var newest = 0
    /// The newest generation that was ever returned; after a loss the row is behind it.
    var issued = 0
    var requests: [Message] = []
    var answers: [Message] = []
    var theft: RotationTheft?
    /// One code, or the session that began with it, of all that the browser or the thief got.
    var code: RotationCode?
    /// Which generations can still be in flight; not if the store may lose history.
    var spent: RotationSpent?

    /// Closes the oldest window, and removes the messages that were sent before it opened.
    mutating func closeOldestWindow() {
        requests.removeAll { $0.mark == 0 }
        answers.removeAll { $0.mark == 0 }
        row.end(0)
        for index in history.indices { history[index].end(0) }
        spent?.end(0)
        if calm == 0 {
            calmWindows -= 1
            calm = calmWindows > 0 ? Self.now : nil
        }
    }

    /// Whether the row, or one that a loss can bring back, has an open window.
    var hasOpenWindow: Bool {
        ([row] + history).contains(where: \.hasOpenWindow)
    }

    mutating func setClockBack() {
        row.setClockBack()
        for index in history.indices { history[index].setClockBack() }
    }

    /// The marks of all timers, oldest first.
    var marks: [Int] {
        let spent = spent?.marks ?? []
        return Set(history.flatMap(\.marks) + row.marks + spent + [calm].compactMap(\.self)).sorted()
    }
}
