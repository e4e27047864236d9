/// What a client held up to be renewed: a refresh token whose MAC is good, reduced to what the rules need.
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

/// What became of a presented refresh token. Only `denied` refuses the request.
package enum RefreshAnswer: Hashable, Sendable {
    /// A new generation: give out its tokens.
    case rotated
    /// Too soon after the last rotation: a new access token beside the same refresh token.
    case refreshed
    /// A retry after a lost answer: the same refresh token again, byte for byte.
    case reissued
    /// A late request of the generation before: serve it, give it no token.
    case straggler
    /// The store had lost history (a restored backup): it continues where the client is.
    case adopted
    /// To be saved as well: a reuse revokes.
    case denied(Denial)
}

extension Session {
    /// The rotation protocol: decides what presenting a refresh token does to the session (`docs/refresh.md`).
    ///
    /// Renewing generation g always yields the same generation g + 1, so no family forks (RFC 9700 section 4.14.2 asks
    /// for detection of reuse; the straggler window is what keeps it from ending honest sessions).
    package mutating func refresh(
        presenting presented: PresentedRefresh,
        at now: Instant,
        under policy: SessionPolicy,
        signingWith key: String
    ) -> RefreshAnswer {
        do { try checkAlive(at: now, under: policy) } catch { return .denied(error) }
        switch generation - presented.generation {
        case ..<0:
            return adopt(presented, at: now)
        case 0:
            confirm(at: now)
            return isStragglerWindowOpen(at: now, under: policy)
                ? refreshed(at: now) : rotate(at: now, signingWith: key)
        case 1 where confirmation == .pending:
            return reissue(at: now)
        case 1 where isStragglerWindowOpen(at: now, under: policy):
            touch(at: now)
            return .straggler
        default:
            revoke(.refreshTokenReused, at: now)
            return .denied(.refreshTokenReused)
        }
    }

    /// Takes note that an access token of `seen` came in: that confirms a pending generation.
    /// - Returns: whether anything worth saving changed.
    @discardableResult
    package mutating func confirm(generation seen: Int, at now: Instant, under policy: SessionPolicy) -> Bool {
        guard (try? checkAlive(at: now, under: policy)) != nil else { return false }
        let before = self
        if seen == generation { confirm(at: now) }
        if self != before || now - lastSeenAt >= policy.sightingInterval { touch(at: now) }
        return self != before
    }

    /// The window opens at confirmation, not at rotation: an answer may be long on its way, and until it arrives every
    /// honest request still carries the generation before.
    private mutating func confirm(at now: Instant) {
        guard confirmation == .pending else { return }
        confirmation = .confirmed(windowOpenedAt: now)
        supersededAuthentication = nil
    }

    func isStragglerWindowOpen(at now: Instant, under policy: SessionPolicy) -> Bool {
        guard case .confirmed(let openedAt?) = confirmation else { return false }
        return now < openedAt + policy.stragglerWindow
    }

    mutating func rotate(at now: Instant, signingWith key: String) -> RefreshAnswer {
        generation += 1
        confirmation = .pending
        rotatedAt = now
        refreshKey = key
        touch(at: now)
        return .rotated
    }

    private mutating func refreshed(at now: Instant) -> RefreshAnswer {
        touch(at: now)
        return .refreshed
    }

    /// Whoever presents the generation before a step-up has not shown the password: a thief's copy must not come by the
    /// fresh `auth_time` this way, so the raised level is withdrawn. (An honest client whose step-up answer was lost
    /// saw an error and asks again.)
    private mutating func reissue(at now: Instant) -> RefreshAnswer {
        if let superseded = supersededAuthentication {
            authentication = superseded
            supersededAuthentication = nil
        }
        touch(at: now)
        return .reissued
    }

    private mutating func adopt(_ presented: PresentedRefresh, at now: Instant) -> RefreshAnswer {
        generation = presented.generation
        confirmation = .confirmed(windowOpenedAt: now)
        rotatedAt = presented.issuedAt
        refreshKey = presented.key
        supersededAuthentication = nil
        touch(at: now)
        return .adopted
    }
}
