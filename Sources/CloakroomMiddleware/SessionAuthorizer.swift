package import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// Authorizes a request by its tokens: checks them without I/O, and renews inline if the access token has expired.
package struct SessionAuthorizer: Sendable {
    /// Renews with the refresh token of a cookie in a request to a host.
    package typealias Renew = @Sendable (SessionTokens.RefreshHalf, SessionHost) async throws -> Renewal

    package let verifier: TokenVerifier
    package let cookie: SessionCookie
    package let policy: SessionPolicy
    /// The wall clock for every rule.
    package let now: @Sendable () -> Instant
    private let uptime: @Sendable () -> Duration
    private let renew: Renew?
    private let saw: @Sendable (VerifiedAccess) -> Void
    private let catchUp: @Sendable () async throws -> Void
    private let readKeys: (@Sendable () async throws -> Void)?

    /// - Parameters:
    ///   - uptime: a monotonic clock.
    ///   - renew: nil if this server cannot renew.
    ///   - saw: called with each access token that a client presents, to confirm its generation. Must not block.
    ///   - catchUp: updates the revocation view if its feed has not been read for too long.
    ///   - readKeys: reads the issuer's keys again; nil if the caller does that.
    package init(
        verifier: TokenVerifier, cookie: SessionCookie, policy: SessionPolicy, now: @escaping @Sendable () -> Instant,
        uptime: @escaping @Sendable () -> Duration, renew: Renew?, saw: @escaping @Sendable (VerifiedAccess) -> Void,
        catchUp: @escaping @Sendable () async throws -> Void, readKeys: (@Sendable () async throws -> Void)? = nil
    ) {
        self.verifier = verifier
        self.cookie = cookie
        self.policy = policy
        self.now = now
        self.uptime = uptime
        self.renew = renew
        self.saw = saw
        self.catchUp = catchUp
        self.readKeys = readKeys
    }

    /// A request's authority, and the renewal whose tokens the response must carry.
    package struct Authorization: Sendable {
        package let access: VerifiedAccess
        /// The access token of the request, if any. The client keeps it if the response carries no newer one.
        package let presented: VerifiedAccess?
        /// nil without a renewal.
        package let renewal: Renewal?

        /// The tokens that the response must carry.
        package var renewed: IssuedTokens? {
            switch renewal {
            case .renewed(let tokens): tokens
            case .served, nil: nil
            }
        }
    }

    /// - Parameter host: the host of the request.
    package func credentials(_ headers: HTTPFields, to host: SessionHost) -> RequestCredentials {
        RequestCredentials(headers, to: host, cookie: cookie, verifier: verifier, at: now())
    }

    /// - Parameters:
    ///   - demand: the level and freshness that the route demands in addition to a session.
    ///   - admitsCookieAlone: see `AccessQuestion`.
    /// - Throws: `Denial`; anything else is a failure of the store.
    package func authorize(
        _ credentials: RequestCredentials, demanding demand: StepUp? = nil, admitsCookieAlone: Bool = false
    ) async throws -> Authorization {
        let credentials = try await withKnownKeys(credentials)
        let now = now()
        let question = credentials.question(at: now, demanding: demand, admitsCookieAlone: admitsCookieAlone)
        switch answer(question, at: now) {
        case .lookUp:
            try await catchUp()
            return try await act(on: answer(question, at: now, isCaughtUp: true), credentials, demand)
        case let answer:
            return try await act(on: answer, credentials, demand)
        }
    }

    /// Reads the keys once more if a token names an unknown one: another instance may have made it since the last poll.
    /// - Returns: the credentials, verified again if the keys were read.
    /// - Throws: `Denial.unavailable` if the keys cannot be read: the token may be good.
    package func withKnownKeys(_ credentials: RequestCredentials) async throws(Denial) -> RequestCredentials {
        guard credentials.namesUnknownKey, let readKeys else { return credentials }
        do { try await readKeys() } catch { throw Denial.unavailable(retryAfter: .seconds(1)) }
        return credentials.verifiedAgain(by: verifier, at: now())
    }

    /// As `authorize`, without I/O. nil if the decision needs I/O, or if it is a denial.
    package func authorizeAtOnce(_ credentials: RequestCredentials, demanding demand: StepUp?) -> VerifiedAccess? {
        let now = now()
        let access: VerifiedAccess? =
            switch answer(credentials.question(at: now, demanding: demand, admitsCookieAlone: false), at: now) {
            case .bearer: credentials.bearer?.access
            case .cookie: credentials.liveCookieAccess
            case .renewal, .earlyRenewal, .lookUp, .denied: nil
            }
        if let access { saw(access) }
        return access
    }

    /// Whether `authorize` will renew.
    package func renews(_ credentials: RequestCredentials, demanding demand: StepUp?) -> Bool {
        let now = now()
        switch answer(credentials.question(at: now, demanding: demand, admitsCookieAlone: false), at: now) {
        case .renewal, .earlyRenewal: return true
        case .bearer, .cookie, .lookUp, .denied: return false
        }
    }

    /// Reports that the client of an open stream has sent something, which counts as activity of its session.
    package func sawActivity(of access: VerifiedAccess) {
        saw(access)
    }

    /// What the view of revocations says about the session of an open stream.
    package func standing(of session: SessionID) -> AccessQuestion.Standing {
        verifier.revocations.standing(of: session, at: uptime(), now())
    }

    /// Updates a view whose standing is `unknown`.
    /// - Throws: if requests are refused now.
    package func lookUp() async throws {
        try await catchUp()
    }

    /// Takes the end of a session that the store has told before the feed did.
    package func learnedRevocation(of session: SessionID) {
        verifier.revocations.insert(session, at: uptime())
    }

    private func answer(_ question: AccessQuestion, at now: Instant, isCaughtUp: Bool = false) -> AccessAnswer {
        let uptime = uptime()
        return question.answer(at: now, under: policy) { identity in
            let standing = verifier.revocations.standing(of: identity, at: uptime, now)
            return isCaughtUp && standing == .unknown ? .good : standing
        }
    }

    private func act(
        on answer: AccessAnswer, _ credentials: RequestCredentials, _ demand: StepUp?
    ) async throws -> Authorization {
        switch answer {
        case .bearer: return try admit(credentials.bearer?.access)
        case .cookie: return try admit(credentials.liveCookieAccess)
        case .renewal: return try await renewed(credentials, demand)
        case .earlyRenewal:
            do { return try await renewed(credentials, demand) } catch let denial as Denial {
                guard case .unavailable = denial else { throw denial }
                return try admit(credentials.liveCookieAccess)
            } catch {
                return try admit(credentials.liveCookieAccess)
            }
        case .lookUp: throw Denial.unavailable(retryAfter: .seconds(1))
        case .denied(let denial): throw denial
        }
    }

    private func admit(_ access: VerifiedAccess?) throws(Denial) -> Authorization {
        guard let access else { throw .tokenInvalid }
        saw(access)
        return Authorization(access: access, presented: access, renewal: nil)
    }

    /// Renews, then checks the demand against the session after the renewal, whose level may differ from that of the
    /// access token. If the demand is not met, the response does not carry the new tokens: a denial has no
    /// `Set-Cookie`, so that a late one cannot restore a cookie that the browser replaced. Nothing is lost: the new
    /// generation stays pending, and the next request with the old cookie gets the same refresh token
    /// (`RefreshAnswer.reissued`).
    private func renewed(_ credentials: RequestCredentials, _ demand: StepUp?) async throws -> Authorization {
        guard let renew, let host = credentials.host, case .success(let checked)? = credentials.cookie else {
            throw Denial.tokenExpired
        }
        let renewal = try await renew(checked.refresh, host)
        try demand?.check(renewal.access.authentication, of: renewal.access.subject, at: now())
        return Authorization(access: renewal.access, presented: checked.access, renewal: renewal)
    }
}
