@testable import CloakroomCore

/// A breadth-first walk over everything that can happen to one session: every order of sending, delivering, losing and
/// reordering requests and answers, restoring an old copy of the store, and stealing the cookie once. The decisions are
/// those of the real `Session.refresh` and `Session.confirm`.
///
/// Time passes in ticks. A state holds generations relative to the store's and ages instead of times, so the states are
/// finitely many and the walk visits all of them.
struct RotationWalk {
    /// How large the world is, and what is assumed of it.
    struct World {
        var requests = 4
        var answers = 3
        /// The straggler window, in ticks.
        var window = 1
        /// How many ticks a message may be in flight. With a window of one tick, 0 says: no message is in flight when a
        /// window closes.
        var flight = 0
        var restores = false
        var theft = false
    }

    let world: World
    let rules: RotationRules

    /// What the walk came to.
    struct Report {
        var states = 0
        /// The shortest way to a state that must not be, event by event; nil when there is none.
        var violation: [String]?
        /// The most rotations that both thief and victim got in a session that is still alive.
        var mostSharedRotations = 0
    }

    func run() -> Report {
        var decisions = RotationDecisions(rules: rules, window: world.window)
        var visited: Set<WalkState> = [WalkState()]
        var trail: [(state: WalkState, from: Int, event: WalkEvent)] = [(WalkState(), -1, .start)]
        var report = Report()
        var next = 0
        while next < trail.count {
            let state = trail[next].state
            for event in events(in: state) {
                let outcome = apply(event, to: state, &decisions)
                if outcome.isViolation {
                    report.violation = path(trail, next) + ["\(event): violation"]
                    report.states = visited.count
                    return report
                }
                guard let successor = outcome.state, visited.insert(successor).inserted else { continue }
                report.mostSharedRotations = max(
                    report.mostSharedRotations, Int(min(successor.victimRotations, successor.thiefRotations)))
                trail.append((successor, next, event))
            }
            next += 1
        }
        report.states = visited.count
        return report
    }

    private func path(_ trail: [(state: WalkState, from: Int, event: WalkEvent)], _ last: Int) -> [String] {
        var steps: [String] = []
        var index = last
        while index > 0 {
            steps.append("\(trail[index].event)")
            index = trail[index].from
        }
        return steps.reversed()
    }

    /// Everything that can happen next.
    private func events(in state: WalkState) -> [WalkEvent] {
        var events: [WalkEvent] = []
        if state.requests.count < world.requests { events += [.send(.refresh), .send(.use)] }
        for index in state.requests.indices { events += [.deliverRequest(index), .loseRequest(index)] }
        for index in state.answers.indices { events += [.deliverAnswer(index), .loseAnswer(index)] }
        let oldest = (state.requests.map(\.age) + state.answers.map(\.age)).max() ?? -1
        if oldest < Int8(world.flight) { events.append(.tick) }
        if world.restores { events += state.backup == nil ? [.backUp] : [.backUp, .restore] }
        if world.theft { events.append(state.thief == nil ? .steal : .thiefRefreshes) }
        return events
    }

    private struct Outcome {
        var state: WalkState?
        var isViolation = false
    }

    private func apply(_ event: WalkEvent, to state: WalkState, _ decisions: inout RotationDecisions) -> Outcome {
        var state = state
        switch event {
        case .start:
            return Outcome()
        case .send(let kind):
            state.requests.append(.init(kind: kind, generation: state.jar, age: 0))
        case .deliverRequest(let index):
            let request = state.requests.remove(at: index)
            guard request.kind == .refresh else {
                state.become(decisions.confirm(state.store, seen: request.generation))
                break
            }
            return refresh(request.generation, by: .victim, in: state, &decisions)
        case .loseRequest(let index):
            state.requests.remove(at: index)
        case .deliverAnswer(let index):
            state.jar = state.answers.remove(at: index).generation
        case .loseAnswer(let index):
            state.answers.remove(at: index)
        case .tick:
            state.tick(window: Int8(world.window))
        case .backUp:
            state.backup = .init(store: state.store, generation: 0)
        case .restore:
            state.restore()
        case .steal:
            state.thief = state.jar
        case .thiefRefreshes:
            return refresh(state.thief ?? 0, by: .thief, in: state, &decisions)
        }
        return Outcome(state: state.normalised())
    }

    private func refresh(
        _ generation: Int8, by party: WalkState.Party, in state: WalkState, _ decisions: inout RotationDecisions
    ) -> Outcome {
        var state = state
        let decision = decisions.refresh(state.store, presenting: generation)
        guard decision.answer.isAlive else { return Outcome(state: nil, isViolation: !world.theft) }
        state.note(decision.answer, to: party)
        state.become(decision.store, shiftedBy: decision.shift)
        if decision.answer.handsOutTokens { hand(to: party, &state) }
        let isShared = min(state.victimRotations, state.thiefRotations) >= 2 && state.crossings < 2
        return Outcome(state: state.normalised(), isViolation: isShared)
    }

    /// The thief has his answer at once. The victim's travels, if there is room for one more; losing it is an event.
    private func hand(to party: WalkState.Party, _ state: inout WalkState) {
        switch party {
        case .thief: state.thief = 0
        case .victim:
            if state.answers.count < world.answers { state.answers.append(.init(kind: .use, generation: 0, age: 0)) }
        }
    }
}

/// One thing that happens.
enum WalkEvent: CustomStringConvertible {
    case start
    case send(WalkState.Message.Kind)
    case deliverRequest(Int), loseRequest(Int), deliverAnswer(Int), loseAnswer(Int)
    case tick, backUp, restore, steal, thiefRefreshes

    var description: String {
        switch self {
        case .start: "start"
        case .send(let kind): "the browser sends a request to \(kind)"
        case .deliverRequest(let index): "request \(index) arrives"
        case .loseRequest(let index): "request \(index) is lost"
        case .deliverAnswer(let index): "answer \(index) arrives"
        case .loseAnswer(let index): "answer \(index) is lost"
        case .tick: "time passes"
        case .backUp: "the store is backed up"
        case .restore: "the store is restored"
        case .steal: "the cookie is copied"
        case .thiefRefreshes: "the thief refreshes"
        }
    }
}
