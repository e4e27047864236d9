/// The state of a session at the login host when it made a code. It decides whether the code still yields a session, and
/// when that session ends.
package struct HandOverPoint: Hashable, Sendable, Codable {
    /// The generation of the parent after the code was made.
    package let generation: Int
    /// The number of times that the parent has withdrawn its codes.
    package let epoch: Int
    /// Whether the code was made without a rotation, so that nothing will show whether a copied cookie made it. The next
    /// generation of the parent ends the session.
    package let isProvisional: Bool

    package init(generation: Int, epoch: Int, isProvisional: Bool) {
        self.generation = generation
        self.epoch = epoch
        self.isProvisional = isProvisional
    }
}

extension Session {
    /// Decides about a refresh token with which a browser asks for a code. A session then begins at another host if the
    /// answer is not `denied`.
    ///
    /// The rules are those of `refresh`, but the current generation rotates inside the straggler window too, if
    /// `mayRotate` allows it. The response with a code then has a refresh token that a copy of the cookie does not have:
    /// the copy and the browser cannot both go on, and `supersedes` ends the session that the copy got. After every other
    /// answer the session is provisional.
    package mutating func handOver(
        presenting presented: PresentedRefresh, at now: Instant, under policy: SessionPolicy, signingWith key: String
    ) -> RefreshAnswer {
        do { try checkAlive(at: now, under: policy) } catch { return .denied(error) }
        restartWindows(ifClockIsSetBackTo: now)
        details.handOverEpoch = details.handOverEpoch ?? 0
        if presented.generation == generation {
            confirm(at: now)
            if mayRotate(at: now, under: policy) { return rotate(at: now, under: policy, signingWith: key) }
        }
        return refresh(presenting: presented, at: now, under: policy, signingWith: key)
    }

    /// The point of a code that is made after this answer.
    ///
    /// A code after `reissued` is provisional too: a client that presents the generation before the current one may have
    /// a copy of the cookie that was spent before, and the browser has the current one already.
    package func handOverPoint(after answer: RefreshAnswer) -> HandOverPoint {
        HandOverPoint(generation: generation, epoch: details.handOverEpoch ?? 0, isProvisional: answer != .rotated)
    }

    /// The generation that the response with a code sends; nil if it sends none. A browser that redeems the code has
    /// received it.
    package func generationSent(with answer: RefreshAnswer) -> Int? {
        answer.handsOutTokens ? generation : nil
    }

    /// The factors behind a code that is made after this answer. A copy of the cookie from before a step-up must not
    /// pass the fresh level on to another host.
    package func factors(after answer: RefreshAnswer, presenting presented: Int) -> Evidence {
        guard !answer.handsOutTokens, presented < generation else { return details.evidence }
        return details.earlierEvidence ?? details.evidence
    }

    /// Makes codes worthless that were made before: the sessions of other hosts have ended, and none may begin by an
    /// earlier code.
    /// - Returns: whether the session changed. False if it has never made a code.
    @discardableResult
    package mutating func withdrawCodes() -> Bool {
        guard let epoch = details.handOverEpoch else { return false }
        details.handOverEpoch = epoch + 1
        return true
    }

    /// Whether a session of another host may begin by a code of this session.
    package func admits(_ child: Session) -> Bool {
        guard let point = child.details.handedOver?.point else { return false }
        return point.epoch == details.handOverEpoch ?? 0 && !(point.isProvisional && point.generation < generation)
    }

    /// Whether a change of the session can end sessions that were handed over from it, by `supersedes`.
    package func mayHaveSuperseded(since before: Session) -> Bool {
        details.handOverEpoch != nil
            && (generation != before.generation || details.handOverEpoch != before.details.handOverEpoch)
    }

    /// Whether a session that was handed over from this one must end after a change of the generation or the epoch.
    ///
    /// A client that presents the generation before the current one has not received the response with the current one,
    /// and so no code that came with it: a copy of its cookie got that code.
    package func supersedes(_ child: Session) -> Bool {
        guard let point = child.details.handedOver?.point else { return false }
        if point.isProvisional, point.generation < generation { return true }
        return point.generation == generation && point.epoch < details.handOverEpoch ?? 0
    }
}

extension RefreshAnswer {
    /// Whether the response carries a newer refresh token.
    package var handsOutTokens: Bool {
        switch self {
        case .rotated, .reissued: true
        case .served, .straggler, .adopted, .postponed, .denied: false
        }
    }
}
