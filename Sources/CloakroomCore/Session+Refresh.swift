/// What a client presented to be renewed: a refresh token whose MAC is good, reduced to what the rules need.
package struct PresentedRefresh: Hashable, Sendable {
    package var generation: Int
    /// The token's `iat` and `kid`: needed to continue its very bytes when the store has lost them.
    package var issuedAt: Instant
    package var key: String

    package init(generation: Int, issuedAt: Instant, key: String) {
        self.generation = generation
        self.issuedAt = issuedAt
        self.key = key
    }
}

/// What became of a presented refresh token.
///
/// Only `rotated` and `reissued` hand out a refresh token, and it is always newer than the one presented: no answer,
/// however late, can put an older token into the jar than one that was already used.
package enum RefreshAnswer: Hashable, Sendable {
    /// A new generation: hand out its tokens.
    case rotated
    /// A retry after a lost answer: hand out the current refresh token, byte for byte what it was.
    case reissued
    /// The request has the session's authority, and its answer carries no refresh token.
    case served
    /// As `served`, for a late request of an earlier generation, at the level that this generation had.
    case straggler
    /// As `served`; the store had lost history (restored backup, lossy failover) and continues where the client is.
    case adopted
    /// A step-up that would let an answer under way overtake its own: nothing changed, ask again after so long.
    case postponed(Span)
    /// Returned, not thrown, because a reuse must be saved: it revokes.
    case denied(Denial)
}

extension Session {
    /// The rotation protocol: decides what presenting a refresh token does to the session (`docs/refresh.md`).
    ///
    /// Renewing generation g always yields the same generation g + 1, so no family forks (RFC 9700 section 4.14.2 asks
    /// for detection of reuse; the straggler window keeps it from ending honest sessions).
    package mutating func refresh(
        presenting presented: PresentedRefresh,
        at now: Instant,
        under policy: SessionPolicy,
        signingWith key: String
    ) -> RefreshAnswer {
        do { try checkAlive(at: now, under: policy) } catch { return .denied(error) }
        restartWindow(ifClockIsSetBackTo: now)
        switch generation - presented.generation {
        case ..<0:
            return adopt(presented, at: now, under: policy)
        case 0 where confirmation == .pending:
            confirm(at: now)
            return serve(.served, at: now, under: policy)
        case 0 where isStragglerWindowOpen(at: now, under: policy):
            return serve(.served, at: now, under: policy)
        case 0:
            return rotate(at: now, under: policy, signingWith: key)
        case 1 where confirmation == .pending:
            // The answer is probably on its way: 24 parallel requests get one cookie, not 24.
            return isOnItsWay(at: now, under: policy) ? serve(.served, at: now, under: policy) : reissue(at: now)
        default:
            guard isStraggler(presented.generation, at: now, under: policy) else { return reuse(at: now) }
            return serve(.straggler, at: now, under: policy)
        }
    }

    /// How long until presenting the current generation can bring a newer one; zero when it can now.
    package func renewableIn(at now: Instant, under policy: SessionPolicy) -> Span {
        let ready: Instant? =
            switch confirmation {
            case .pending: isOnItsWay(at: now, under: policy) ? handedOutAt + policy.reissueDelay : nil
            case .confirmed(let openedAt): openedAt.map { min($0, now) + policy.stragglerWindow }
            }
        return ready.map { max(.zero, $0 - now) } ?? .zero
    }

    /// The level that a request of this generation has: one from before a step-up keeps the level from before.
    package func authentication(ofGeneration presented: Int) -> Authentication {
        (presented < generation ? details.earlierEvidence ?? details.evidence : details.evidence).authentication
    }

    /// Takes note that an access token of `seen` came in: that confirms a pending generation.
    /// - Returns: whether anything worth saving changed.
    @discardableResult
    package mutating func confirm(generation seen: Int, at now: Instant, under policy: SessionPolicy) -> Bool {
        guard (try? checkAlive(at: now, under: policy)) != nil else { return false }
        let before = self
        if seen == generation { confirm(at: now) }
        if self != before { touch(at: now) } else { touchNowAndThen(at: now, under: policy) }
        return self != before
    }

    /// The window opens at confirmation, not at rotation: an answer may be long under way, and until it arrives every
    /// honest request still carries the generation before.
    mutating func confirm(at now: Instant) {
        guard confirmation == .pending else { return }
        confirmation = .confirmed(windowOpenedAt: now)
    }

    /// Opens a window again that opened in the future, by a clock that was set back since. How long ago that was cannot be
    /// known: if the window counted as closed, an honest straggler would be taken for a thief; if it stayed, a thief would
    /// pass for a straggler until the clock has caught up, and the browser would be handed out nothing.
    mutating func restartWindow(ifClockIsSetBackTo now: Instant) {
        guard case .confirmed(let openedAt?) = confirmation, now < openedAt else { return }
        confirmation = .confirmed(windowOpenedAt: now)
    }

    func isStragglerWindowOpen(at now: Instant, under policy: SessionPolicy) -> Bool {
        guard case .confirmed(let openedAt?) = confirmation else { return false }
        return now < openedAt + policy.stragglerWindow
    }

    /// Whether requests of this earlier generation may still be under way.
    func isStraggler(_ presented: Int, at now: Instant, under policy: SessionPolicy) -> Bool {
        guard stragglersFrom <= presented, presented < generation else { return false }
        return confirmation == .pending || isStragglerWindowOpen(at: now, under: policy)
    }

    mutating func rotate(at now: Instant, under policy: SessionPolicy, signingWith key: String) -> RefreshAnswer {
        forgetStragglers(at: now, under: policy)
        generation += 1
        confirmation = .pending
        rotatedAt = now
        refreshKey = key
        handedOutAt = now
        isReissued = false
        touch(at: now)
        return .rotated
    }

    /// Hands out the pending generation once more.
    mutating func handOutAgain(at now: Instant) {
        handedOutAt = now
        isReissued = true
        touch(at: now)
    }

    /// Called before the current generation is left behind. When no window is running, every request of an earlier
    /// generation has arrived, and only the current generation and later ones can still be in flight.
    private mutating func forgetStragglers(at now: Instant, under policy: SessionPolicy) {
        guard confirmation != .pending, !isStragglerWindowOpen(at: now, under: policy) else { return }
        stragglersFrom = generation
        details.earlierEvidence = nil
    }

    /// Continues at a generation that the store has forgotten. It hands out nothing: two requests of different
    /// forgotten generations may both be adopted, and the answers would race.
    ///
    /// A raised level is withdrawn, because the store has also forgotten to whom the generations in between were given.
    mutating func adopt(
        _ presented: PresentedRefresh, at now: Instant, under policy: SessionPolicy
    ) -> RefreshAnswer {
        forgetStragglers(at: now, under: policy)
        if let earlier = details.earlierEvidence { details.evidence = earlier }
        generation = presented.generation
        confirmation = .confirmed(windowOpenedAt: now)
        rotatedAt = presented.issuedAt
        refreshKey = presented.key
        handedOutAt = now
        // How often it was handed out is lost with the rest.
        isReissued = true
        details.earlierEvidence = nil
        touch(at: now)
        return .adopted
    }

    mutating func reuse(at now: Instant) -> RefreshAnswer {
        revoke(.refreshTokenReused, at: now)
        return .denied(.refreshTokenReused)
    }

    private mutating func serve(
        _ answer: RefreshAnswer, at now: Instant, under policy: SessionPolicy
    ) -> RefreshAnswer {
        touchNowAndThen(at: now, under: policy)
        return answer
    }

    /// Presenting the generation before a step-up shows no password: a stolen copy must not come by the fresh
    /// `auth_time` this way, so the raised level is withdrawn. (An honest client whose step-up answer was lost saw an
    /// error and asks again.)
    private mutating func reissue(at now: Instant) -> RefreshAnswer {
        if let earlier = details.earlierEvidence { details.evidence = earlier }
        handOutAgain(at: now)
        return .reissued
    }

    /// A clock that was set back says nothing about how long an answer has been under way: then it is given again.
    private func isOnItsWay(at now: Instant, under policy: SessionPolicy) -> Bool {
        handedOutAt <= now && now < handedOutAt + policy.reissueDelay
    }
}
