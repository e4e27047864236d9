extension RotationWalkState {
    /// The normal form of the state: equal for all states that no rule distinguishes.
    ///
    /// - Parameter latestOnly: keeps only the latest message of each generation. It can cause everything that an
    ///   earlier one can.
    func normalised(latestOnly: Bool) -> RotationWalkState {
        var state = self
        state.renumberMarks()
        state.renumberGenerations()
        if latestOnly {
            state.requests = Self.latest(state.requests)
            state.answers = Self.latest(state.answers)
        }
        state.requests = Self.sorted(state.requests)
        state.answers = Self.sorted(state.answers)
        return state
    }

    private mutating func renumberMarks() {
        let marks = marks
        func place(_ mark: Int) -> Int {
            var place = 0
            while place < marks.count, marks[place] < mark { place += 1 }
            return place
        }
        row.renumber(place)
        for index in history.indices { history[index].renumber(place) }
        calm = calm.map(place)
        spent?.renumber(place)
        for index in requests.indices { requests[index].mark = place(requests[index].mark) }
        for index in answers.indices { answers[index].mark = place(answers[index].mark) }
    }

    /// Makes generations relative to the current one, and merges those that no rule distinguishes: generations that are
    /// two or more behind the row and all rows that a loss can bring back, and on the same side of each bound.
    private mutating func renumberGenerations() {
        let floor = history.reduce(row.generation) { min($0, $1.generation) } - 2
        let bounds = ([row] + history).flatMap(\.bounds) + (spent?.generations ?? [])
        let steps = Set(bounds.filter { $0 <= floor })
        let current = row.generation
        func place(_ generation: Int) -> Int {
            if generation > floor { return generation - current }
            var place = floor
            for step in steps where generation < step { place -= 1 }
            return place - current
        }
        row.shift(place)
        for index in history.indices { history[index].shift(place) }
        jar = place(jar)
        newest = place(newest)
        issued = place(issued)
        spent?.shift(place)
        code?.shift(place)
        if let theft { self.theft?.held = place(theft.held) }
        for index in requests.indices { requests[index].generation = place(requests[index].generation) }
        for index in answers.indices { answers[index].generation = place(answers[index].generation) }
    }

    private static func latest(_ messages: [Message]) -> [Message] {
        guard messages.count > 1 else { return messages }
        var latest: [Int: Message] = [:]
        for message in messages {
            guard let other = latest.updateValue(message, forKey: message.generation) else { continue }
            latest[message.generation]?.mark = max(other.mark, message.mark)
            if message.kind != .refresh { latest[message.generation]?.kind = .answers }
        }
        return Array(latest.values)
    }

    private static func sorted(_ messages: [Message]) -> [Message] {
        guard messages.count > 1 else { return messages }
        return messages.sorted {
            ($0.generation, $0.kind.rawValue, $0.mark) < ($1.generation, $1.kind.rawValue, $1.mark)
        }
    }
}

extension RotationRow {
    fileprivate mutating func renumber(_ place: (Int) -> Int) {
        confirmation.renumber(place)
        for index in earlierWindows.indices { earlierWindows[index].confirmation.renumber(place) }
        if let mark = rotation { rotation = place(mark) }
    }

    fileprivate mutating func shift(_ place: (Int) -> Int) {
        generation = place(generation)
        stragglersFrom = place(stragglersFrom)
        for index in earlierWindows.indices {
            earlierWindows[index].generation = place(earlierWindows[index].generation)
        }
    }

    /// The generations that the rules compare with others.
    fileprivate var bounds: [Int] { [stragglersFrom] + earlierWindows.map(\.generation) }
}

extension RotationRow.Confirmation {
    fileprivate mutating func renumber(_ place: (Int) -> Int) {
        if case .open(let mark) = self { self = .open(place(mark)) }
    }
}
