/// The fields that the rules need of a refresh token that a client presented and whose MAC is valid.
package struct PresentedRefresh: Hashable, Sendable {
    package var generation: Int
    /// The token's `iat` and `kid`: needed to make the same bytes again when the store has lost them.
    package var issuedAt: Instant
    package var key: String

    package init(generation: Int, issuedAt: Instant, key: String) {
        self.generation = generation
        self.issuedAt = issuedAt
        self.key = key
    }
}

/// The answer to a presented refresh token.
///
/// Only `rotated` and `reissued` send a refresh token, and it is always newer than the one presented: no response,
/// however late, can put an older token into the cookie jar than one that the client already used.
package enum RefreshAnswer: Hashable, Sendable {
    /// A new generation: send its tokens.
    case rotated
    /// A retry after a lost response: send the current refresh token again, byte for byte the same.
    case reissued
    /// The request has the session's authority, and the response carries no refresh token.
    case served
    /// As `served`, for a late request of an earlier generation, at the level that this generation had.
    case straggler
    /// As `served`; the store had lost history (restored backup, lossy failover) and continues where the client is.
    case adopted
    /// A response in flight could arrive after the response to this step-up: nothing changed, retry after this span.
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
        restartWindows(ifClockIsSetBackTo: now)
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
            // The response is probably in flight: 24 parallel requests get one cookie, not 24.
            return isOnItsWay(at: now, under: policy) ? serve(.served, at: now, under: policy) : reissue(at: now)
        default:
            guard isStraggler(presented.generation, at: now, under: policy) else { return reuse(at: now) }
            return serve(.straggler, at: now, under: policy)
        }
    }

    /// The time until a client that presents the current generation can get a newer one; zero if it can now.
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

    /// Records that a request carried an access token of generation `seen`; this confirms a pending generation.
    /// - Returns: whether the session changed and must be saved.
    @discardableResult
    public mutating func confirm(generation seen: Int, at now: Instant, under policy: SessionPolicy) -> Bool {
        guard isAlive(at: now, under: policy) else { return false }
        let before = self
        if seen == generation { confirm(at: now) }
        if self != before { touch(at: now) } else { touchNowAndThen(at: now, under: policy) }
        return self != before
    }

    /// Opens the straggler window at confirmation, not at rotation: a response may be in flight for long, and until it
    /// arrives every honest request still carries the previous generation.
    mutating func confirm(at now: Instant) {
        guard confirmation == .pending else { return }
        confirmation = .confirmed(windowOpenedAt: now)
    }

    /// Restarts windows whose opening time is in the future because the clock was set back. The real age of such a
    /// window is unknown. If it counted as closed, an honest straggler would count as reuse. If it kept its time, a
    /// thief would pass for a straggler until the clock catches up, and the browser would get no new token.
    mutating func restartWindows(ifClockIsSetBackTo now: Instant) {
        if case .confirmed(let openedAt?) = confirmation, now < openedAt {
            confirmation = .confirmed(windowOpenedAt: now)
        }
        details.earlierWindows = details.earlierWindows?.map {
            EarlierWindow(generation: $0.generation, openedAt: min($0.openedAt, now))
        }
    }

    func isStragglerWindowOpen(at now: Instant, under policy: SessionPolicy) -> Bool {
        guard case .confirmed(let openedAt?) = confirmation else { return false }
        return now < openedAt + policy.stragglerWindow
    }

    /// Whether requests of this earlier generation may still be in flight: until one window after a later generation
    /// was first confirmed. The cookie jar had the later one by then, and sends the earlier one no more.
    ///
    /// The time counts from that confirmation, however often the session has rotated since. A thief who rotates again
    /// and again inside the window would otherwise make a spent generation a straggler for as long.
    func isStraggler(_ presented: Int, at now: Instant, under policy: SessionPolicy) -> Bool {
        guard stragglersFrom <= presented, presented < generation,
            confirmation == .pending || isStragglerWindowOpen(at: now, under: policy)
        else { return false }
        return !(details.earlierWindows ?? []).contains {
            $0.generation > presented && !$0.isOpen(at: now, under: policy)
        }
    }

    /// Whether the current generation, which a client presents, can rotate now. Inside the window it can if it was sent
    /// only once: of a generation that was sent again, a response could still be in flight and arrive after the one with
    /// the next generation, which would log the honest user out.
    func mayRotate(at now: Instant, under policy: SessionPolicy) -> Bool {
        guard isStragglerWindowOpen(at: now, under: policy) else { return true }
        let open = (details.earlierWindows ?? []).count { $0.isOpen(at: now, under: policy) }
        return !isReissued && open < policy.openWindows
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

    /// Records that the pending generation is sent again.
    mutating func handOutAgain(at now: Instant) {
        handedOutAt = now
        isReissued = true
        withdrawCodes()
        touch(at: now)
    }

    /// Runs before the session moves on from the current generation. If a window has closed, every request of a generation
    /// before its own has arrived. Those that are open stay, the current one included.
    private mutating func forgetStragglers(at now: Instant, under policy: SessionPolicy) {
        guard case .confirmed(let openedAt) = confirmation else { return }
        guard let openedAt, isStragglerWindowOpen(at: now, under: policy) else {
            stragglersFrom = generation
            details.earlierWindows = nil
            details.earlierEvidence = nil
            return
        }
        var windows = details.earlierWindows ?? []
        if let closed = windows.lastIndex(where: { !$0.isOpen(at: now, under: policy) }) {
            stragglersFrom = max(stragglersFrom, windows[closed].generation)
            windows.removeFirst(closed + 1)
        }
        details.earlierWindows = windows + [EarlierWindow(generation: generation, openedAt: openedAt)]
    }

    /// Continues at a generation that the store has lost. Sends no refresh token: two requests of different lost
    /// generations may both be adopted, and their responses would race.
    ///
    /// Withdraws a raised level, because the store has also lost which clients got the generations in between.
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
        // The store has also lost how often this generation was sent.
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

    /// Withdraws a raised level: a client that presents the generation before a step-up shows no password, and a stolen
    /// copy must not get the fresh `auth_time` this way. (An honest client that lost the step-up response saw an error
    /// and steps up again.)
    private mutating func reissue(at now: Instant) -> RefreshAnswer {
        if let earlier = details.earlierEvidence { details.evidence = earlier }
        handOutAgain(at: now)
        return .reissued
    }

    /// Whether the response is probably still in flight. False if the clock was set back, because then its age is
    /// unknown; the token is then sent again.
    private func isOnItsWay(at now: Instant, under policy: SessionPolicy) -> Bool {
        handedOutAt <= now && now < handedOutAt + policy.reissueDelay
    }
}

extension Session.EarlierWindow {
    fileprivate func isOpen(at now: Instant, under policy: SessionPolicy) -> Bool {
        now < openedAt + policy.stragglerWindow
    }
}
