@testable import CloakroomCore

/// Rules of codes and of windows with one fault each. A walk must find each fault.
extension RotationRules {
    private static func changed(_ change: (inout RotationRules) -> Void) -> RotationRules {
        var rules = real
        change(&rules)
        return rules
    }

    /// While a generation is pending, all earlier ones since the last rotation with a closed window are stragglers,
    /// however long that takes.
    static let pendingKeepsStragglers = changed { rules in
        @Sendable func keeping(_ rule: @escaping Refresh) -> Refresh {
            { session, presented, now, policy in
                var copy = session
                let ruling = rule(&session, presented, now, policy)
                guard ruling.answer == .denied(.refreshTokenReused), copy.confirmation == .pending,
                    copy.stragglersFrom <= presented.generation
                else { return ruling }
                copy.revocation = nil
                session = copy
                return Ruling(.straggler)
            }
        }
        rules.refresh = keeping(real.refresh)
        rules.handOver = keeping(real.handOver)
    }

    /// Each rotation inside a window extends the windows of all earlier generations.
    static let rotationExtendsWindows = changed { rules in
        @Sendable func extending(_ rule: @escaping Refresh) -> Refresh {
            { session, presented, now, policy in
                let ruling = rule(&session, presented, now, policy)
                if ruling.answer == .rotated, let last = session.details.earlierWindows?.last {
                    session.details.earlierWindows = session.details.earlierWindows?.map {
                        .init(generation: $0.generation, openedAt: last.openedAt)
                    }
                }
                return ruling
            }
        }
        rules.refresh = extending(real.refresh)
        rules.handOver = extending(real.handOver)
    }

    /// The windows of earlier generations close with the rotation.
    static let rotationClosesWindows = changed { rules in
        rules.handOver = { session, presented, now, policy in
            let ruling = real.handOver(&session, presented, now, policy)
            guard ruling.answer == .rotated else { return ruling }
            session.details.earlierWindows = nil
            session.stragglersFrom = session.generation - 1
            return ruling
        }
    }

    /// A code never rotates inside the window, and the session that begins with it stays all the same.
    static let codeWithoutRotation = changed { rules in
        rules.handOver = real.refresh
        rules.code = { session, answer in
            let point = HandOverPoint(generation: session.generation, epoch: 0, isProvisional: false)
            return (point, session.generationSent(with: answer))
        }
    }

    static let codeIgnoresReissue = changed { rules in
        rules.handOver = { session, presented, now, policy in
            if presented.generation == session.generation { session.isReissued = false }
            return real.handOver(&session, presented, now, policy)
        }
    }

    static let redemptionConfirmsNothing = changed { rules in
        rules.code = { (real.code($0, $1).point, nil) }
    }

    /// The redemption confirms the current generation, although the response with the code did not send it.
    static let redemptionAlwaysConfirms = changed { rules in
        rules.code = { (real.code($0, $1).point, $0.generation) }
    }

    /// A session stays that began when the current generation was sent again, maybe to a copy that was spent.
    static let reissuedCodeStays = changed { rules in
        rules.code = { session, answer in
            let point = HandOverPoint(
                generation: session.generation, epoch: 0, isProvisional: !answer.handsOutTokens)
            return (point, session.generationSent(with: answer))
        }
    }

    static let reissueKeepsCodes = changed { rules in
        rules.withdraws = { _, _ in false }
    }
}
