@testable import CloakroomCore

/// Rotation rules with one fault each. A walk must find each fault.
extension RotationRules {
    private static func changed(_ change: (inout RotationRules) -> Void) -> RotationRules {
        var rules = real
        change(&rules)
        return rules
    }

    static let countsWindowFromRotation = changed { rules in
        rules.countsFromRotation = true
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            if ruling.answer != .adopted { session.countWindowFromRotation() }
            return ruling
        }
        rules.confirm = { session, generation, now, policy in
            real.confirm(&session, generation, now, policy)
            session.countWindowFromRotation()
        }
    }

    static let confirmsAtRotation = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            if ruling.answer == .rotated { session.confirm(at: now) }
            return ruling
        }
    }

    static let reissueConfirms = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            if ruling.answer == .reissued { session.confirm(at: now) }
            return ruling
        }
    }

    static let rotatesInsideWindow = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            guard ruling.answer == .served, presented.generation == session.generation else { return ruling }
            return Ruling(session.rotate(at: now, under: policy, signingWith: "key"))
        }
    }

    static let givesStragglersTokens = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            return ruling.handingOut(if: ruling.answer == .straggler)
        }
    }

    /// Inside the window, a client that presents the current generation gets it again.
    static let handsOutThePresented = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            return ruling.handingOut(if: ruling.answer == .served)
        }
    }

    /// The request that confirms a generation gets it again.
    static let handsOutAtConfirmation = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let wasPending = session.confirmation == .pending
            let ruling = real.refresh(&session, presented, now, policy)
            return ruling.handingOut(if: ruling.answer == .served && wasPending)
        }
    }

    static let adoptionHandsOut = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            return ruling.handingOut(if: ruling.answer == .adopted)
        }
    }

    static let adoptionOpensNoWindow = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            if ruling.answer == .adopted { session.confirmation = .confirmed(windowOpenedAt: nil) }
            return ruling
        }
    }

    /// Only access tokens confirm a pending generation, and refresh tokens do not.
    static let presentingConfirmsNothing = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let isPending = session.confirmation == .pending && presented.generation == session.generation
            return isPending ? Ruling(.served) : real.refresh(&session, presented, now, policy)
        }
    }

    /// A window that opened in the future stays open until the clock has caught up.
    static let leavesWindowAhead = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let before = session.confirmation
            let ruling = real.refresh(&session, presented, now, policy)
            let isServed = ruling.answer == .served || ruling.answer == .straggler
            if isServed, before.isAhead(of: now) { session.confirmation = before }
            return ruling
        }
    }

    /// A window that opened in the future counts as closed.
    static let closesWindowAhead = changed { rules in
        rules.refresh = { session, presented, now, policy in
            if session.confirmation.isAhead(of: now) { session.confirmation = .confirmed(windowOpenedAt: nil) }
            return real.refresh(&session, presented, now, policy)
        }
    }

    /// Treats a generation that the store has lost as a reuse.
    static let adoptsNothing = changed { rules in
        rules.refresh = { session, presented, now, policy in
            guard presented.generation > session.generation else {
                return real.refresh(&session, presented, now, policy)
            }
            return Ruling(session.reuse(at: now))
        }
    }
}

extension Session {
    fileprivate mutating func countWindowFromRotation() {
        if case .confirmed(.some) = confirmation { confirmation = .confirmed(windowOpenedAt: rotatedAt) }
    }
}

extension Session.Confirmation {
    fileprivate func isAhead(of now: Instant) -> Bool {
        guard case .confirmed(let openedAt?) = self else { return false }
        return now < openedAt
    }
}
