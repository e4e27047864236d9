@testable import CloakroomCore

/// A breadth-first walk over every state that one session, one cookie jar and the messages between them can reach. The
/// real functions make the decisions.
struct RotationWalk {
    /// The bounds and the assumptions of a walk.
    struct World: Sendable {
        /// How many messages are in flight.
        enum Messages {
            /// At most this many requests and responses at once. Each is delivered once, in any order, or lost.
            case limited(requests: Int, answers: Int)
            /// Any number. The walk keeps the latest message of each generation and delivers it repeatedly. It can
            /// cause everything that earlier ones can, so a walk without a violation is a proof.
            case unlimited
        }

        enum StepUps {
            case none
            case any
            /// For three windows after a loss there is no step-up inside a window, and no loss takes back a step-up
            /// that was made inside a window.
            case apartFromLosses
        }

        /// Which step-ups with an access token alone the walk includes.
        enum StepUpsByAccess {
            case none
            /// Those with the newest access token that the client has.
            case newest
            /// Those with an access token of any age.
            case any
        }

        var messages = Messages.limited(requests: 4, answers: 3)
        var stepUps = StepUps.none
        var stepUpsByAccess = StepUpsByAccess.none
        /// How often the store loses up to three writes.
        var losses = 0
        /// Whether the store's clock is set back by more than any window, any number of times.
        var clockIsSetBack = false
        var theft = false
        /// Whether browser and thief ask for codes for other hosts.
        var handOvers = false
        /// How many windows a session may have open at once.
        var openWindows = 2

        var isUnlimited: Bool {
            if case .unlimited = messages { true } else { false }
        }
    }

    let world: World
    let rules: RotationRules

    /// The result of a walk.
    struct Report {
        var states = 0
        /// The events of a shortest path to a violation; nil if there is none.
        var violation: [String]?
        /// Whether a response replaced the token in the cookie jar with an older one.
        var jarWentBack = false
        /// The most rotations that both thief and victim got in a session that is still alive.
        var mostSharedRotations = 0
        /// Whether the thief came by the level of a step-up made after the theft, in the one way that is known.
        var thiefIsRaised = false
        /// Whether a session of another host began with a code.
        var childBegan = false
    }

    func run() -> Report {
        var decisions = RotationDecisions(rules: rules, openWindows: world.openWindows)
        var start = RotationWalkState()
        start.lossesLeft = world.losses
        if world.theft, world.losses == 0 { start.spent = RotationSpent() }
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
        report.violation = stuck.map { path(trail, $0) + ["the browser gets no newer token any more"] }
        return report
    }

    private struct Step {
        var state: RotationWalkState
        var from: Int
        var event: RotationEvent
    }

    /// Whether the browser gets no newer token, even if it presents the token in its jar again and again.
    private func isStuck(_ state: RotationWalkState, _ decisions: inout RotationDecisions) -> Bool {
        var row = state.row
        // Four requests are enough: one is adopted or confirms, one restarts the window, it closes, and one rotates.
        for _ in 1...4 {
            // A window that opened in the future does not close here by the passing of time.
            for mark in row.marks { row.end(mark) }
            let decision = decisions.decide(
                .refresh, presenting: state.jar, isVictimOfTheft: false, at: RotationWalkState.now, &row)
            // The walk itself reports a logout.
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
        childBegan = childBegan || outcome.state?.code?.hasBegun == true
        guard let theft = outcome.state?.theft else { return }
        mostSharedRotations = max(mostSharedRotations, min(theft.victimRotations, theft.thiefRotations))
    }
}
