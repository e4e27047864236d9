@testable import CloakroomCore

/// A breadth-first walk over everything that can happen to one session, by decisions of the real functions.
struct RotationWalk {
    /// How large the world is, and what is assumed of it.
    struct World: Sendable {
        /// How messages travel.
        enum Messages {
            /// So many requests and answers are in flight at once, each is delivered once, in any order, or lost.
            case limited(requests: Int, answers: Int)
            /// As many as one likes: of each generation the latest in flight, delivered again and again. It can do
            /// whatever any number of earlier ones could, so that a walk without a violation is a proof.
            case unlimited
        }

        enum StepUps {
            case none
            case any
            /// None inside a window for three windows after a loss, and no loss takes back one made inside a window.
            case apartFromLosses
        }

        /// Which step-ups there are that present an access token alone.
        enum StepUpsByAccess {
            case none
            /// With the newest access token that the client has.
            case newest
            /// With one of any age.
            case any
        }

        var messages = Messages.limited(requests: 4, answers: 3)
        var stepUps = StepUps.none
        var stepUpsByAccess = StepUpsByAccess.none
        /// How often the store goes back, by up to three writes each time.
        var losses = 0
        /// Whether the store's clock is set back, as often as one likes, by more than any window.
        var clockIsSetBack = false
        var theft = false

        var isUnlimited: Bool {
            if case .unlimited = messages { true } else { false }
        }
    }

    let world: World
    let rules: RotationRules

    /// What the walk came to.
    struct Report {
        var states = 0
        /// The shortest way to a state that must not be, event by event; nil when there is none.
        var violation: [String]?
        /// Whether an answer put an older token into the jar than was in it.
        var jarWentBack = false
        /// The most rotations that both thief and victim got in a session that is still alive.
        var mostSharedRotations = 0
        /// Whether the thief came by the level of a step-up made after the theft, in the one way that is known.
        var thiefIsRaised = false
    }

    func run() -> Report {
        var decisions = RotationDecisions(rules: rules)
        var start = RotationWalkState()
        start.lossesLeft = world.losses
        var visited: Set<RotationWalkState> = [start]
        var trail: [Step] = [Step(state: start, from: -1, event: .start)]
        var report = Report()
        var next = 0
        var stuck: Int?
        while next < trail.count {
            let state = trail[next].state
            if !world.theft, stuck == nil, isStuck(state, &decisions) { stuck = next }
            for event in events(in: state) {
                let outcome = apply(event, to: state, &decisions)
                report.note(outcome)
                if let violation = outcome.violation {
                    report.violation = path(trail, next) + ["\(event): \(violation)"]
                    report.states = visited.count
                    return report
                }
                guard let successor = outcome.state?.normalised(latestOnly: world.isUnlimited),
                    visited.insert(successor).inserted
                else { continue }
                trail.append(Step(state: successor, from: next, event: event))
            }
            next += 1
        }
        report.states = visited.count
        report.violation = stuck.map { path(trail, $0) + ["the browser is given nothing newer any more"] }
        return report
    }

    private struct Step {
        var state: RotationWalkState
        var from: Int
        var event: RotationEvent
    }

    /// Whether the browser, left alone with what is in its jar, is never given anything newer.
    private func isStuck(_ state: RotationWalkState, _ decisions: inout RotationDecisions) -> Bool {
        var row = state.row
        // Four times: it is adopted or confirms what is pending, the window starts again and closes, it rotates.
        for _ in 1...4 {
            switch row.confirmation {
            case .open, .closed: row.confirmation = .closed
            // Its window never closes by itself.
            case .pending, .ahead: break
            }
            let decision = decisions.decide(
                .refresh, presenting: state.jar, isVictimOfTheft: false, at: RotationWalkState.now, &row)
            // A logout is for the walk to come to.
            if case .denied = decision.answer { return false }
            if decision.handsOut { return false }
        }
        return true
    }

    private func path(_ trail: [Step], _ last: Int) -> [String] {
        var steps: [String] = []
        var index = last
        while index > 0 {
            steps.append("\(trail[index].event)")
            index = trail[index].from
        }
        return steps.reversed()
    }
}

extension RotationWalk.Report {
    fileprivate mutating func note(_ outcome: RotationWalk.Outcome) {
        jarWentBack = jarWentBack || outcome.jarWentBack
        thiefIsRaised = thiefIsRaised || outcome.thiefIsRaised
        guard let theft = outcome.state?.theft else { return }
        mostSharedRotations = max(mostSharedRotations, min(theft.victimRotations, theft.thiefRotations))
    }
}
