/// Everything that decides whether a request may go on, verified as far as that goes without I/O.
///
/// One decision for the check endpoint, its fast path, the middleware and the gateway: `answer`.
package struct AccessQuestion: Sendable {
    /// What an access token says of its holder.
    package struct Identity: Hashable, Sendable {
        package var session: SessionID
        package var authentication: Authentication
        /// How long the token lives from now.
        package var remaining: Span

        package init(session: SessionID, authentication: Authentication, remaining: Span) {
            self.session = session
            self.authentication = authentication
            self.remaining = remaining
        }
    }

    /// The token of an `Authorization` header.
    package enum Bearer: Hashable, Sendable {
        case absent
        /// Of another issuer, or opaque: the business of the app behind us. The denial is for a request without cookie.
        case foreign(Denial)
        case live(Identity)
        /// One of ours that is expired or broken.
        case refused(Denial)
    }

    /// The tokens of the session cookie.
    package enum Cookie: Hashable, Sendable {
        case absent
        case live(Identity)
        /// The access half opens nothing any more; the refresh half may earn a newer one.
        case stale
        /// Hybrid delivery: the access token is in the page's memory.
        case withoutAccess
        case refused(Denial)
    }

    /// What is known of a session beside its tokens.
    package enum Standing: Hashable, Sendable {
        case good, revoked
        /// The feed of revocations has been silent for too long to say.
        case unknown
    }

    package var bearer: Bearer
    package var cookie: Cookie
    /// What the route demands beyond a session.
    package var demand: StepUp?
    /// Whether a hybrid client's cookie may earn an access token here: at the authorization server's own endpoints. In
    /// front of an app a hybrid client shows its access token, and its cookie opens nothing.
    package var admitsCookieAlone: Bool

    package init(bearer: Bearer, cookie: Cookie, demand: StepUp? = nil, admitsCookieAlone: Bool = false) {
        self.bearer = bearer
        self.cookie = cookie
        self.demand = demand
        self.admitsCookieAlone = admitsCookieAlone
    }
}

/// What becomes of a request.
package enum AccessAnswer: Hashable, Sendable {
    /// By the bearer token.
    case bearer
    /// By the cookie's access token.
    case cookie
    /// The refresh token beside it must earn a newer access token; then `StepUp.check` decides.
    case renewal
    /// As `renewal`, early: where that fails for want of the store, the access token that came along still opens.
    case earlyRenewal
    /// The view of revocations must be brought up to date; then ask again.
    case lookUp
    case denied(Denial)
}

extension AccessQuestion {
    /// A bearer of ours decides alone, even when it has expired; a foreign one leaves the decision to the cookie.
    /// - Parameter standing: asked for one session at most.
    package func answer(
        at now: Instant, under policy: SessionPolicy, standing: (SessionID) -> Standing
    ) -> AccessAnswer {
        switch bearer {
        case .live(let identity):
            return judge(identity, .bearer, at: now, standing)
        case .refused(let denial):
            return .denied(denial)
        case .foreign(let denial):
            return cookie == .absent ? .denied(denial) : answerToCookie(at: now, under: policy, standing)
        case .absent:
            return answerToCookie(at: now, under: policy, standing)
        }
    }

    private func answerToCookie(
        at now: Instant, under policy: SessionPolicy, _ standing: (SessionID) -> Standing
    ) -> AccessAnswer {
        switch cookie {
        case .absent: return .denied(.sessionMissing)
        case .refused(let denial): return .denied(denial)
        case .stale: return .renewal
        case .withoutAccess: return admitsCookieAlone ? .renewal : .denied(.tokenExpired)
        case .live(let identity):
            let answer = judge(identity, .cookie, at: now, standing)
            guard answer == .cookie, identity.remaining < policy.handOverMargin else { return answer }
            return .earlyRenewal
        }
    }

    private func judge(
        _ identity: Identity, _ answer: AccessAnswer, at now: Instant, _ standing: (SessionID) -> Standing
    ) -> AccessAnswer {
        switch standing(identity.session) {
        case .unknown: return .lookUp
        case .revoked: return .denied(.sessionRevoked)
        case .good: break
        }
        do { try demand?.check(identity.authentication, at: now) } catch { return .denied(error) }
        return answer
    }
}
