@testable import CloakroomCore

extension RotationWalk {
    /// The result of an event.
    struct Outcome {
        /// The next state; nil if the session has ended.
        var state: RotationWalkState?
        /// Which claim the event violates.
        var violation: String?
        var jarWentBack = false
        var thiefIsRaised = false
    }

    func apply(
        _ event: RotationEvent, to before: RotationWalkState, _ decisions: inout RotationDecisions
    ) -> Outcome {
        var state = before
        switch event {
        case .start: break
        case .send(let kind):
            state.requests.append(.init(kind: kind, generation: state.jar, mark: RotationWalkState.now))
        case .deliverRequest(let index):
            let request = state.requests.remove(at: index)
            return present(request.generation, request.kind.question, in: state, &decisions)
        case .present(let kind, let generation):
            return present(generation, kind.question, in: state, &decisions)
        case .handOver(let generation, let isTraced):
            return present(generation, .handOver, in: state, isTraced: isTraced, &decisions)
        case .stepUpByAccess(let generation):
            return present(generation, .stepUpByAccess, in: state, &decisions)
        case .sighting:
            return present(state.row.generation, .sighting, in: state, &decisions)
        case .loseRequest(let index): state.requests.remove(at: index)
        case .loseAnswer(let index): state.answers.remove(at: index)
        case .deliverAnswer(let index):
            deliver(index, &state)
            return Outcome(state: state, jarWentBack: state.jar < before.jar)
        case .windowCloses: state.closeOldestWindow()
        case .setClockBack: state.setClockBack()
        case .lose(let count): lose(count, &state)
        case .steal:
            state.theft = .init(held: state.jar)
            if state.lossesLeft < world.losses { state.theft?.startAgainAfterLoss() }
        case .thiefPresents(let generation):
            return presentByThief(generation, .refresh, in: state, &decisions)
        case .thiefAsks(let generation, let isTraced):
            return presentByThief(generation, .handOver, in: state, isTraced: isTraced, &decisions)
        case .redeem: return redeem(in: state, &decisions)
        }
        return Outcome(state: state)
    }

    private func present(
        _ generation: Int, _ question: RotationDecisions.Question, in before: RotationWalkState,
        isTraced: Bool = false, _ decisions: inout RotationDecisions
    ) -> Outcome {
        var state = before
        let decision = decisions.decide(
            question, presenting: generation, isVictimOfTheft: state.theft != nil, at: RotationWalkState.now,
            &state.row)
        if case .denied = decision.answer {
            return Outcome(violation: world.theft ? nil : "an honest user is logged out")
        }
        if let violation = served(generation, &state) { return Outcome(violation: violation) }
        if let violation = follow(decision, &state, victimGains: decision.handsOut) {
            return Outcome(violation: violation)
        }
        if isTraced { state.code = decision.code }
        let isInsideWindow = question != .refresh && decision.answer == .rotated && before.row.confirmation != .closed
        keep(before.row, &state, isForGood: isInsideWindow && world.stepUps == .apartFromLosses)
        if question != .refresh, decision.answer == .reissued { state.theft?.noteRaise(of: state.row.generation) }
        state.note(decision.answer, byThief: false)
        if decision.handsOut { send(&state) }
        return Outcome(state: state, violation: sharing(in: state))
    }

    private func presentByThief(
        _ generation: Int, _ question: RotationDecisions.Question, in before: RotationWalkState,
        isTraced: Bool = false, _ decisions: inout RotationDecisions
    ) -> Outcome {
        var state = before
        let decision = decisions.decide(
            question, presenting: generation, isVictimOfTheft: true, at: RotationWalkState.now, &state.row)
        if case .denied = decision.answer { return Outcome() }
        if let violation = served(generation, &state) { return Outcome(violation: violation) }
        if let violation = follow(decision, &state) { return Outcome(violation: violation) }
        if isTraced { state.code = decision.code }
        keep(before.row, &state)
        state.note(decision.answer, byThief: true)
        // The thief gets the response at once.
        if decision.handsOut { state.theft?.noteGain(of: state.row.generation) }
        let isViolation = decision.isFresh && state.theft?.mayBeRaised == false
        return Outcome(
            state: state, violation: isViolation ? "the thief has the level of the step-up" : sharing(in: state),
            thiefIsRaised: decision.isFresh)
    }

    /// A code is redeemed: this confirms the generation that came with it, and begins a session if the code is good.
    private func redeem(in before: RotationWalkState, _ decisions: inout RotationDecisions) -> Outcome {
        var state = before
        guard let code = state.code else { return Outcome() }
        if let sent = code.sent { state.spent?.note(sent, at: RotationWalkState.now) }
        if let seen = code.confirms {
            let decision = decisions.decide(
                .sighting, presenting: seen, isVictimOfTheft: state.theft != nil, at: RotationWalkState.now, &state.row)
            if let violation = follow(decision, &state) { return Outcome(violation: violation) }
        }
        state.code?.hasBegun = true
        return Outcome(state: state)
    }

    /// Notes that a generation was presented and not refused.
    private func served(_ generation: Int, _ state: inout RotationWalkState) -> String? {
        state.spent?.note(generation, at: RotationWalkState.now)
        return state.spent?.contains(generation) == true ? "a spent generation is served" : nil
    }

    /// Follows what becomes of the traced code when its parent changes.
    /// - Parameter victimGains: whether the victim of the theft got a newer refresh token.
    private func follow(
        _ decision: RotationDecisions.Decision, _ state: inout RotationWalkState, victimGains: Bool = false
    ) -> String? {
        guard var code = state.code else { return nil }
        if decision.withdraws { code.isWithdrawn = true }
        guard code.isGood(at: state.row.generation) else {
            state.code = nil
            let isHonest = code.hasBegun && !code.isProvisional && !world.theft
            return isHonest ? "a session of another host ends" : nil
        }
        state.code = code
        return world.theft && victimGains ? "a session that a copy got outlives a renewal of the victim" : nil
    }

    private func sharing(in state: RotationWalkState) -> String? {
        state.theft?.isShared == true ? "thief and victim share the session" : nil
    }

    /// Adds the response to those in flight. If their number is at its limit, the response is lost.
    private func send(_ state: inout RotationWalkState) {
        if case .limited(_, let answers) = world.messages, state.answers.count >= answers { return }
        state.answers.append(.init(kind: .answer, generation: state.row.generation, mark: RotationWalkState.now))
    }

    private func deliver(_ index: Int, _ state: inout RotationWalkState) {
        let answer = state.answers[index]
        if answer.kind == .answer { state.answers.remove(at: index) }
        if world.isUnlimited, answer.generation != state.jar {
            state.requests.append(.init(kind: .refresh, generation: state.jar, mark: RotationWalkState.now))
        }
        state.jar = answer.generation
        state.newest = max(state.newest, state.jar)
    }

    /// Saves the row for a later loss.
    /// - Parameter isForGood: whether no loss may take back this write or an earlier one.
    private func keep(_ row: RotationRow, _ state: inout RotationWalkState, isForGood: Bool = false) {
        guard state.lossesLeft > 0, row != state.row else { return }
        state.history = isForGood ? [] : (state.history + [row]).suffix(3)
    }

    /// Takes the row back by `count` writes. Clients and messages in flight do not change.
    private func lose(_ count: Int, _ state: inout RotationWalkState) {
        state.row = state.history[state.history.count - count]
        state.history.removeLast(count)
        state.lossesLeft -= 1
        if state.lossesLeft == 0 { state.history = [] }
        if world.stepUps == .apartFromLosses {
            state.calm = RotationWalkState.now
            state.calmWindows = 3
        }
        state.theft?.startAgainAfterLoss()
        // Only the claims about theft depend on `issued`.
        if !world.theft { state.issued = state.row.generation }
    }
}

extension RotationWalkState.Message.Kind {
    fileprivate var question: RotationDecisions.Question {
        switch self {
        case .stepUp: .stepUp
        case .handOver: .handOver
        case .refresh, .answer, .answers: .refresh
        }
    }
}
