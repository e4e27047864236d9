/// What the protocol keeps of a session, as the walk sees it: generations are numbers, and a moment is a mark in the
/// order of all marks.
struct RotationRow: Hashable {
    enum Confirmation: Hashable {
        case pending
        /// The window opened at this mark.
        case open(Int)
        /// The window is open, and the store's clock was set back behind its opening.
        case ahead
        case closed
    }

    var generation = 0
    var confirmation = Confirmation.closed
    var stragglersFrom = 0
    var isReissued = false
    /// Whether the level is from a step-up made after the theft.
    var isFresh = false
    /// Whether earlier generations have the level from before.
    var hasEarlierLevel = false
    /// When it was rotated, for rules that count from there.
    var rotation: Int?
    /// Who caused the last rotation: known to the walk alone.
    var isRotatedByThief = false

    /// The moments that something is counted from.
    var marks: [Int] {
        var marks: [Int] = []
        if case .open(let mark) = confirmation { marks.append(mark) }
        if let rotation { marks.append(rotation) }
        return marks
    }

    /// The store's clock is set back by more than any window.
    mutating func setClockBack() {
        if case .open = confirmation { confirmation = .ahead }
    }

    /// What was counted from `mark` has ended.
    mutating func end(_ mark: Int) {
        if confirmation == .open(mark) { confirmation = .closed }
        if rotation == mark { rotation = nil }
    }

    /// What the decisions depend on, as one number.
    var shape: Int {
        var shape = generation - stragglersFrom
        shape = shape * 4 + confirmation.number
        for flag in [isReissued, isFresh, hasEarlierLevel, rotation != nil] { shape = shape * 2 + (flag ? 1 : 0) }
        return shape
    }
}

extension RotationRow.Confirmation {
    fileprivate var number: Int {
        switch self {
        case .pending: 0
        case .closed: 1
        case .open: 2
        case .ahead: 3
        }
    }
}
