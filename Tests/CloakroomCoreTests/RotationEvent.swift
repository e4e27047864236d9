/// An event of a walk. Generations are relative to the current one.
enum RotationEvent: CustomStringConvertible {
    case start
    case send(RotationWalkState.Message.Kind)
    case deliverRequest(Int), loseRequest(Int), deliverAnswer(Int), loseAnswer(Int)
    /// One of any number of requests of this generation arrives; the others stay in flight.
    case present(RotationWalkState.Message.Kind, Int)
    case sighting
    case stepUpByAccess(Int)
    case windowCloses
    case setClockBack
    case lose(Int)
    case steal
    case thiefPresents(Int)
    /// Asks for a code. `isTraced`: the walk follows what becomes of it.
    case handOver(Int, isTraced: Bool), thiefAsks(Int, isTraced: Bool)
    case redeem

    var description: String {
        switch self {
        case .start: "start"
        case .send(let kind): "the browser sends a \(kind)"
        case .deliverRequest(let index): "request \(index) arrives"
        case .loseRequest(let index): "request \(index) is lost"
        case .deliverAnswer(let index): "response \(index) arrives"
        case .loseAnswer(let index): "response \(index) is lost"
        case .present(let kind, let generation): "a \(kind) of generation \(generation) arrives"
        case .sighting: "an access token of the current generation arrives"
        case .stepUpByAccess(let generation): "a step-up with an access token of generation \(generation) arrives"
        case .windowCloses: "the oldest window closes"
        case .setClockBack: "the clock is set back"
        case .lose(let count): "the store loses \(count) writes"
        case .steal: "the cookie is copied"
        case .thiefPresents(let generation): "the thief presents generation \(generation)"
        case .handOver(let generation, _): "a request for a code, of generation \(generation), arrives"
        case .thiefAsks(let generation, _): "the thief presents generation \(generation) for a code"
        case .redeem: "the code is redeemed"
        }
    }
}

extension RotationWalk {
    private typealias Kind = RotationWalkState.Message.Kind

    /// All events that are possible in a state.
    func events(in state: RotationWalkState) -> [RotationEvent] {
        var events = messages(in: state)
        // An access token can be valid for longer than a window, so it may be presented late.
        if state.row.confirmation == .pending, state.row.generation <= state.newest { events.append(.sighting) }
        events += accessTokens(in: state).map { .stepUpByAccess($0) }
        if !state.marks.isEmpty { events.append(.windowCloses) }
        if world.clockIsSetBack, state.hasOpenWindow { events.append(.setClockBack) }
        if state.lossesLeft > 0, !state.history.isEmpty {
            for count in 1...state.history.count { events.append(.lose(count)) }
        }
        if let code = state.code, code.mayBeRedeemed(in: state) { events.append(.redeem) }
        guard world.theft else { return events }
        guard let theft = state.theft else { return events + [.steal] }
        // An older generation than s - 2 returns nothing else than s - 2 to the thief.
        for generation in min(-2, theft.held)...theft.held {
            events.append(.thiefPresents(generation))
            events += asking(for: state, ofThief: true).map { .thiefAsks(generation, isTraced: $0) }
        }
        return events
    }

    /// Whether a code may be asked for, and with and without tracing it.
    private func asking(for state: RotationWalkState, ofThief isThief: Bool) -> [Bool] {
        guard world.handOvers, allowsStepUps(state) || world.stepUps == .none else { return [] }
        // The claims are about the codes of the browser, or about those of the thief.
        return state.code == nil && world.losses == 0 && isThief == world.theft ? [false, true] : [false]
    }

    private func messages(in state: RotationWalkState) -> [RotationEvent] {
        let kinds: [Kind] = [.refresh] + (allowsStepUps(state) ? [.stepUp] : [])
        var events: [RotationEvent] = []
        switch world.messages {
        case .limited(let requests, _):
            if state.requests.count < requests {
                events += (kinds + (world.handOvers ? [.handOver] : [])).map { .send($0) }
            }
            for index in Self.different(state.requests) { events += [.deliverRequest(index), .loseRequest(index)] }
            for index in Self.different(state.answers) { events += [.deliverAnswer(index), .loseAnswer(index)] }
        case .unlimited:
            for generation in Set(state.requests.map(\.generation) + [state.jar]).sorted() {
                events += kinds.map { .present($0, generation) }
                events += asking(for: state, ofThief: false).map { .handOver(generation, isTraced: $0) }
            }
            for index in state.answers.indices { events.append(.deliverAnswer(index)) }
        }
        return events
    }

    private func accessTokens(in state: RotationWalkState) -> [Int] {
        guard allowsStepUps(state) else { return [] }
        switch world.stepUpsByAccess {
        case .none: return []
        case .newest: return [state.newest]
        case .any: return [-1, 0, state.newest].filter { $0 <= state.newest }
        }
    }

    private func allowsStepUps(_ state: RotationWalkState) -> Bool {
        switch world.stepUps {
        case .none: false
        case .any: true
        case .apartFromLosses: state.calm == nil || state.row.confirmation == .closed
        }
    }

    /// The indices without duplicates of equal messages, which are adjacent.
    private static func different(_ messages: [RotationWalkState.Message]) -> [Int] {
        messages.indices.filter { $0 == 0 || messages[$0] != messages[$0 - 1] }
    }
}
