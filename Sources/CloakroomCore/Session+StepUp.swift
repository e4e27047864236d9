extension Session {
    /// Raises the session to a fresh authentication, and to a generation that the presenter did not hold: a stolen copy
    /// must not inherit the fresh `auth_time`.
    ///
    /// Rotates inside the straggler window too, if `mayRotate` allows it. Otherwise the answer is `postponed` until the
    /// window closes.
    package mutating func stepUp(
        with fresh: Evidence,
        presenting presented: PresentedRefresh,
        at now: Instant,
        under policy: SessionPolicy,
        signingWith key: String
    ) -> RefreshAnswer {
        do { try checkAlive(at: now, under: policy) } catch { return .denied(error) }
        restartWindows(ifClockIsSetBackTo: now)
        switch generation - presented.generation {
        case ..<0:
            return adopt(presented, at: now, under: policy)
        case 0:
            confirm(at: now)
            guard mayRotate(at: now, under: policy) else { return .postponed(renewableIn(at: now, under: policy)) }
            let answer = rotate(at: now, under: policy, signingWith: key)
            raise(with: fresh)
            return answer
        case 1 where confirmation == .pending:
            handOutAgain(at: now)
            raise(with: fresh)
            return .reissued
        default:
            guard isStraggler(presented.generation, at: now, under: policy) else { return reuse(at: now) }
            return .postponed(confirmation == .pending ? policy.stragglerWindow : renewableIn(at: now, under: policy))
        }
    }

    /// The refresh token that we assume for a client that sends a live access token of generation `seen` and no
    /// refresh token.
    ///
    /// An access token stays valid across the rotations during its lifetime and is no evidence of theft, so this never
    /// returns a spent generation. A generation ahead of the row shows that the store lost history: it is adopted.
    package func refreshHeld(byAccessOf seen: Int, at now: Instant, under policy: SessionPolicy) -> PresentedRefresh {
        let isEarlier = seen < generation && isStraggler(generation - 1, at: now, under: policy)
        return PresentedRefresh(
            generation: isEarlier ? generation - 1 : max(seen, generation), issuedAt: rotatedAt, key: refreshKey)
    }

    /// Several step-ups inside one window keep the evidence from before the first: every straggler had that level.
    private mutating func raise(with fresh: Evidence) {
        details.earlierEvidence = details.earlierEvidence ?? details.evidence
        details.evidence.add(fresh)
    }
}
