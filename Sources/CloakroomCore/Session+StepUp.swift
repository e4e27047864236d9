extension Session {
    /// Raises the session to a fresh authentication, and always to a generation that the presenter did not hold:
    /// a stolen copy must not inherit the fresh `auth_time`.
    ///
    /// It rotates even inside the straggler window. It never goes two generations past the one presented, so that one
    /// lost answer can never look like a reuse.
    package mutating func stepUp(
        to fresh: Authentication,
        presenting presented: PresentedRefresh,
        at now: Instant,
        under policy: SessionPolicy,
        signingWith key: String
    ) -> RefreshAnswer {
        let answer = refresh(presenting: presented, at: now, under: policy, signingWith: key)
        switch answer {
        case .denied:
            return answer
        case .rotated, .reissued:
            break
        case .refreshed, .straggler, .adopted:
            _ = rotate(at: now, signingWith: key)
        }
        supersededAuthentication = authentication
        authentication = fresh
        return .rotated
    }

    /// The refresh token that the holder of a live access token of `seen` is taken to have, where it sends none.
    ///
    /// An access token outlives the rotations made during its life and is no evidence of theft, so a spent generation
    /// never comes out of this. While a rotation is unconfirmed the holder may still have the token before it.
    package func refreshHeld(byAccessOf seen: Int) -> PresentedRefresh {
        let isAnswerOutstanding = confirmation == .pending && seen < generation
        return PresentedRefresh(
            generation: isAnswerOutstanding ? generation - 1 : generation, issuedAt: rotatedAt, key: refreshKey)
    }
}
