/// The row of a session in the walk's terms: a generation is a number, and a time is a mark, which is a position in the
/// order of all marks.
struct RotationRow: Hashable {
    enum Confirmation: Hashable {
        case pending
        /// The window opened at this mark.
        case open(Int)
        /// The window is open, and the store's clock was set back to before its opening.
        case ahead
        case closed
    }

    /// The window of an earlier generation.
    struct EarlierWindow: Hashable {
        var generation: Int
        var confirmation: Confirmation
    }

    var generation = 0
    var confirmation = Confirmation.closed
    var stragglersFrom = 0
    var earlierWindows: [EarlierWindow] = []
    var isReissued = false
    /// Whether the level is from a step-up after the theft.
    var isFresh = false
    /// Whether earlier generations have the level from before that step-up.
    var hasEarlierLevel = false
    /// The time of the last rotation, for rules that count from it.
    var rotation: Int?
    /// Whether the thief caused the last rotation. The rules do not know this.
    var isRotatedByThief = false

    /// The times from which the row counts.
    var marks: [Int] {
        var marks = earlierWindows.compactMap(\.confirmation.mark)
        if let mark = confirmation.mark { marks.append(mark) }
        if let rotation { marks.append(rotation) }
        return marks
    }

    var hasOpenWindow: Bool {
        confirmation.mark != nil || earlierWindows.contains { $0.confirmation.mark != nil }
    }

    /// Sets the store's clock back by more than any window.
    mutating func setClockBack() {
        confirmation.setClockBack()
        for index in earlierWindows.indices { earlierWindows[index].confirmation.setClockBack() }
    }

    /// Ends the timer that began at `mark`.
    mutating func end(_ mark: Int) {
        confirmation.end(mark)
        for index in earlierWindows.indices { earlierWindows[index].confirmation.end(mark) }
        if rotation == mark { rotation = nil }
    }

    /// All values that the decisions depend on, as one number.
    var shape: Int {
        var shape = generation - stragglersFrom
        shape = shape * 4 + confirmation.number
        for flag in [isReissued, isFresh, hasEarlierLevel, rotation != nil] { shape = shape * 2 + (flag ? 1 : 0) }
        for window in earlierWindows {
            shape = (shape * 64 + generation - window.generation) * 4 + window.confirmation.number
        }
        return shape
    }
}

extension RotationRow.Confirmation {
    fileprivate var mark: Int? {
        guard case .open(let mark) = self else { return nil }
        return mark
    }

    fileprivate mutating func setClockBack() {
        if mark != nil { self = .ahead }
    }

    fileprivate mutating func end(_ ending: Int) {
        if mark == ending { self = .closed }
    }

    fileprivate var number: Int {
        switch self {
        case .pending: 0
        case .closed: 1
        case .open: 2
        case .ahead: 3
        }
    }
}
