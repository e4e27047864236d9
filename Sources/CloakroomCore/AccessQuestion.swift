/// The inputs of the decision whether a request may pass, verified as far as possible without I/O.
///
/// The check endpoint, its fast path, the middleware and the gateway all call `answer`.
package struct AccessQuestion: Sendable {
    /// The claims of an access token that the decision needs.
    package struct Identity: Hashable, Sendable {
        package var session: SessionID
        package var subject: Subject
        package var issuedAt: Instant
        package var authentication: Authentication
        /// The time until the token expires.
        package var remaining: Span

        package init(
            session: SessionID, subject: Subject, issuedAt: Instant, authentication: Authentication, remaining: Span
        ) {
            self.session = session
            self.subject = subject
            self.issuedAt = issuedAt
            self.authentication = authentication
            self.remaining = remaining
        }
    }

    /// The token of an `Authorization` header.
    package enum Bearer: Hashable, Sendable {
        case absent
        /// A token of another issuer, or an opaque one: the app behind us checks it. The denial is for a request
        /// without cookie.
        case foreign(Denial)
        case live(Identity)
        /// One of ours that is expired or broken.
        case refused(Denial)
    }

    /// The tokens of the session cookie.
    package enum Cookie: Hashable, Sendable {
        case absent
        case live(Identity)
        /// The access token is no longer valid; the refresh token may yield a new one.
        case stale
        /// Hybrid delivery: the access token is in the page's memory.
        case withoutAccess
        case refused(Denial)
    }

    /// What the view of revocations says about an access token.
    package enum Standing: Hashable, Sendable {
        case good, revoked
        /// The claims of the subject have changed since the token was issued (`StaleMark`).
        case stale
        /// The view has not been updated from the feed for too long.
        case unknown
    }

    package var bearer: Bearer
    package var cookie: Cookie
    /// The level and freshness that the route demands in addition to a session.
    package var demand: StepUp?
    /// Whether a hybrid client's cookie may yield an access token: true at the authorization server's own endpoints.
    /// In front of an app, a hybrid client sends its access token, and the cookie alone is refused.
    package var admitsCookieAlone: Bool

    package init(bearer: Bearer, cookie: Cookie, demand: StepUp? = nil, admitsCookieAlone: Bool = false) {
        self.bearer = bearer
        self.cookie = cookie
        self.demand = demand
        self.admitsCookieAlone = admitsCookieAlone
    }
}

/// The decision about a request.
package enum AccessAnswer: Hashable, Sendable {
    /// The bearer token lets the request pass.
    case bearer
    /// The access token in the cookie lets the request pass.
    case cookie
    /// The caller must renew with the refresh token in the cookie; then `StepUp.check` decides.
    case renewal
    /// As `renewal`, before expiry: if the store is unavailable, the access token of the request still lets it pass.
    case earlyRenewal
    /// The caller must update its view of revocations, then call `answer` again.
    case lookUp
    case denied(Denial)
}

extension AccessQuestion {
    /// A bearer token of our issuer decides alone, even when it has expired; with a foreign one the cookie decides.
    /// - Parameter standing: called for one token at most.
    package func answer(
        at now: Instant, under policy: SessionPolicy, standing: (Identity) -> Standing
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
        at now: Instant, under policy: SessionPolicy, _ standing: (Identity) -> Standing
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
        _ identity: Identity, _ answer: AccessAnswer, at now: Instant, _ standing: (Identity) -> Standing
    ) -> AccessAnswer {
        switch standing(identity) {
        case .unknown: return .lookUp
        // As an expired token: only a cookie can renew.
        case .stale: return answer == .cookie ? .renewal : .denied(.tokenExpired)
        case .revoked: return .denied(.sessionRevoked)
        case .good: break
        }
        do { try demand?.check(identity.authentication, of: identity.subject, at: now) } catch { return .denied(error) }
        return answer
    }
}
