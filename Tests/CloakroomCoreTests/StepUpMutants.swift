@testable import CloakroomCore

/// Step-up rules with one fault each. A walk must find each fault.
extension RotationRules {
    private static func changed(_ change: (inout RotationRules) -> Void) -> RotationRules {
        var rules = real
        change(&rules)
        return rules
    }

    /// Rotates inside the window although the current generation was returned twice.
    static let stepUpIgnoresReissue = changed { rules in
        rules.stepUp = { session, fresh, presented, now, policy in
            session.isReissued = false
            return real.stepUp(&session, fresh, presented, now, policy)
        }
    }

    /// After a rotation inside the window only the generation before it is a straggler.
    static let stepUpForgetsStragglers = changed { rules in
        rules.stepUp = { session, fresh, presented, now, policy in
            let ruling = real.stepUp(&session, fresh, presented, now, policy)
            if ruling.answer == .rotated { session.stragglersFrom = session.generation - 1 }
            return ruling
        }
    }

    /// Rotates to s + 1 for a client that presents s - 1 while s is pending.
    static let stepUpSkipsPending = changed { rules in
        rules.stepUp = { session, fresh, presented, now, policy in
            if session.confirmation == .pending, presented.generation == session.generation - 1 {
                return Ruling(session.rotate(at: now, under: policy, signingWith: "key"))
            }
            return real.stepUp(&session, fresh, presented, now, policy)
        }
    }

    /// Rotates for a straggler, although other responses may arrive before its own.
    static let stepUpRotatesForStragglers = changed { rules in
        rules.stepUp = { session, fresh, presented, now, policy in
            let ruling = real.stepUp(&session, fresh, presented, now, policy)
            guard case .postponed = ruling.answer, presented.generation < session.generation else { return ruling }
            return Ruling(session.rotate(at: now, under: policy, signingWith: "key"))
        }
    }

    /// Raises the level of the presented generation, of which a thief may have a copy.
    static let stepUpInPlace = changed { rules in
        rules.stepUp = { session, fresh, presented, now, policy in
            guard presented.generation == session.generation else {
                return real.stepUp(&session, fresh, presented, now, policy)
            }
            session.details.evidence = fresh
            return Ruling(.served)
        }
    }

    static let reissueKeepsFreshLevel = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let level = session.evidence
            let ruling = real.refresh(&session, presented, now, policy)
            if ruling.answer == .reissued { session.details.evidence = level }
            return ruling
        }
    }

    static let stragglersHaveFreshLevel = changed { rules in
        rules.level = { session, _ in session.authentication }
    }

    /// Only the generation before the adopted one is a straggler, also where there were step-ups inside the window.
    static let adoptionForgetsStragglers = changed { rules in
        rules.refresh = { session, presented, now, policy in
            let ruling = real.refresh(&session, presented, now, policy)
            if ruling.answer == .adopted { session.stragglersFrom = session.generation - 1 }
            return ruling
        }
    }

    /// Waits for the end of every window, also if the current generation was sent only once. Not a fault: it only
    /// delays the step-up more often.
    static let stepUpWaits = changed { rules in
        rules.stepUp = { session, fresh, presented, now, policy in
            if session.confirmation == .pending || session.isStragglerWindowOpen(at: now, under: policy) {
                session.isReissued = true
            }
            return real.stepUp(&session, fresh, presented, now, policy)
        }
    }

    /// Treats a client whose access token is of a lost generation as a holder of the current generation.
    static let accessTokensAdoptNothing = changed { rules in
        rules.stepUp = stepUpWaits.stepUp
        rules.held = { session, seen, now, policy in
            real.held(session, min(seen, session.generation), now, policy)
        }
    }
}
