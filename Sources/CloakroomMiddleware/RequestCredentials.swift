package import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// The tokens of a request, verified as far as possible without I/O.
package struct RequestCredentials: Sendable {
    /// The bearer token of a request.
    package enum Bearer: Sendable {
        case ours(Result<VerifiedAccess, TokenFault>)
        /// A token of another issuer, or an opaque one, with the fault that our verifier finds.
        case foreign(TokenFault)

        package var access: VerifiedAccess? {
            switch self {
            case .ours(let result): try? result.get()
            case .foreign: nil
            }
        }
    }

    /// nil when the request has none.
    package let cookie: Result<SessionTokens.Checked, TokenFault>?
    /// The refresh token of the cookie, even if the access token beside it is broken. nil if the request has no
    /// cookie.
    package let refresh: Result<SessionTokens.RefreshHalf, TokenFault>?
    /// nil when the request has none.
    package let bearer: Bearer?
    /// The host of the request; nil for a resource server that serves every host.
    package let host: SessionHost?
    /// The values of the headers, to verify them again.
    private let values: (cookies: [[UInt8]], authorization: [String])

    /// The maximum number of cookies of our name; a request with more is refused before any is verified.
    private static let maximumCookies = 4

    package init(
        _ headers: HTTPFields, to host: SessionHost, cookie: SessionCookie, verifier: TokenVerifier, at now: Instant
    ) {
        self.init(
            cookies: cookie.values(in: headers), authorization: headers[values: .authorization], to: host,
            verifier: verifier, at: now)
    }

    /// - Parameters:
    ///   - cookies: the values of every cookie of our name.
    ///   - authorization: the values of every `Authorization` header.
    ///   - host: the host of the request. A token of another host counts as broken. nil admits those of every host.
    package init(
        cookies: [[UInt8]], authorization: [String], to host: SessionHost?, verifier: TokenVerifier, at now: Instant
    ) {
        self.host = host
        values = (cookies, authorization)
        cookie = Self.cookie(cookies, host, verifier, now)
        refresh = cookie.map { Self.refresh($0, cookies) }
        bearer = Self.bearer(authorization, host, verifier, now)
    }

    /// Whether a token that claims to be ours names a key that the verifier does not have.
    package var namesUnknownKey: Bool {
        if case .failure(.unknownKey)? = cookie { return true }
        if case .ours(.failure(.unknownKey))? = bearer { return true }
        return false
    }

    /// The same tokens, verified with the keys that the verifier has by now.
    package func verifiedAgain(by verifier: TokenVerifier, at now: Instant) -> Self {
        Self(cookies: values.cookies, authorization: values.authorization, to: host, verifier: verifier, at: now)
    }

    /// The access token of a cookie whose two tokens are both valid.
    package var liveCookieAccess: VerifiedAccess? {
        if case .success(.live(let access, _))? = cookie { access } else { nil }
    }

    /// Resists cookie tossing: a second cookie of our name comes from a sibling host or a script. Neither can make a
    /// valid value, except from a session of its own: then both cookies are refused.
    private static func cookie(
        _ values: [[UInt8]], _ host: SessionHost?, _ verifier: TokenVerifier, _ now: Instant
    ) -> Result<SessionTokens.Checked, TokenFault>? {
        guard !values.isEmpty else { return nil }
        guard values.count <= maximumCookies else {
            return .failure(.malformed("the session cookie came \(values.count) times"))
        }
        let check = { (value: [UInt8]) in
            Result { () throws(TokenFault) in
                let checked = try verifier.verify(cookie: value, at: now)
                if let access = checked.access { try access.check(host) }
                return checked
            }
        }
        guard values.count > 1 else { return check(values[0]) }
        let checked = values.map(check)
        let sound = checked.filter { (try? $0.get()) != nil }
        return sound.count == 1 ? sound[0] : .failure(.malformed("the session cookie came more than once"))
    }

    private static func refresh(
        _ cookie: Result<SessionTokens.Checked, TokenFault>, _ values: [[UInt8]]
    ) -> Result<SessionTokens.RefreshHalf, TokenFault> {
        cookie.map(\.refresh).flatMapError { fault in
            guard values.count == 1, fault != .differentSessions, fault != .otherHost else { return .failure(fault) }
            return Result { () throws(TokenFault) in try SessionTokens.split(values[0]).refresh }
        }
    }

    /// RFC 6750 section 2.1. Other schemes belong to the app.
    private static func bearer(
        _ values: [String], _ host: SessionHost?, _ verifier: TokenVerifier, _ now: Instant
    ) -> Bearer? {
        guard let value = values.first(where: { $0.prefix(6).lowercased() == "bearer" }) else { return nil }
        guard values.count == 1 else {
            return .ours(.failure(.malformed("the Authorization header came more than once")))
        }
        guard value.dropFirst(6).first == " " else {
            return .foreign(.malformed("the Authorization header is not a bearer token"))
        }
        let token = Array(value.dropFirst(7).utf8)
        let result = Result { () throws(TokenFault) in
            let access = try verifier.verify(bearer: token, at: now)
            try access.check(host)
            return access
        }
        switch result {
        case .success: return .ours(result)
        case .failure(let fault): return verifier.isOurs(bearer: token) ? .ours(result) : .foreign(fault)
        }
    }
}

extension RequestCredentials {
    package func question(at now: Instant, demanding demand: StepUp?, admitsCookieAlone: Bool) -> AccessQuestion {
        AccessQuestion(
            bearer: bearerQuestion(at: now), cookie: cookieQuestion(at: now), demand: demand,
            admitsCookieAlone: admitsCookieAlone)
    }

    private func bearerQuestion(at now: Instant) -> AccessQuestion.Bearer {
        switch bearer {
        case nil: .absent
        case .ours(.success(let access)): .live(access.identity(at: now))
        case .ours(.failure(let fault)): .refused(fault.denial)
        case .foreign(let fault): .foreign(fault.denial)
        }
    }

    private func cookieQuestion(at now: Instant) -> AccessQuestion.Cookie {
        switch cookie {
        case nil: .absent
        case .success(.live(let access, _)): .live(access.identity(at: now))
        case .success(.stale(.absent, _)): .withoutAccess
        case .success(.stale(.expired, _)), .success(.stale(.unverifiable, _)): .stale
        case .failure(let fault): .refused(fault.denial)
        }
    }
}

extension VerifiedAccess {
    fileprivate func check(_ requested: SessionHost?) throws(TokenFault) {
        guard requested == nil || requested == host else { throw .otherHost }
    }

    fileprivate func identity(at now: Instant) -> AccessQuestion.Identity {
        .init(
            session: session, subject: subject, issuedAt: issuedAt, authentication: authentication,
            remaining: expiresAt - now)
    }
}
