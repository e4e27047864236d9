package import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// Turns what a request presents into its authority: the check without I/O, and inline renewal where the access token
/// has expired.
public struct SessionAuthorizer: Sendable {
    package let verifier: TokenVerifier
    package let cookie: SessionCookie
    /// The time by which every rule decides.
    package let now: @Sendable () -> Instant
    private let renew: (@Sendable (RefreshToken, ExpiredAccess?) async throws -> Renewal)?
    private let saw: @Sendable (VerifiedAccess) -> Void
    private let catchUp: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - renew: renews a session; nil where only the authorization server may.
    ///   - saw: told of each access token that a client presented, which confirms its generation. Must not block.
    ///   - catchUp: brings the revocation view up to date, for when its feed has been silent for too long.
    package init(
        verifier: TokenVerifier, cookie: SessionCookie, now: @escaping @Sendable () -> Instant,
        renew: (@Sendable (RefreshToken, ExpiredAccess?) async throws -> Renewal)?,
        saw: @escaping @Sendable (VerifiedAccess) -> Void,
        catchUp: @escaping @Sendable () async throws -> Void
    ) {
        self.verifier = verifier
        self.cookie = cookie
        self.now = now
        self.renew = renew
        self.saw = saw
        self.catchUp = catchUp
    }

    /// A request's authority, and the tokens that its answer must hand over.
    package struct Authorization: Sendable {
        package let access: VerifiedAccess
        package let renewed: IssuedTokens?
    }

    package func credentials(_ headers: HTTPFields) -> RequestCredentials {
        RequestCredentials(headers, cookie: cookie, verifier: verifier, at: now())
    }

    /// - Parameter allowsHybrid: whether a cookie without access token may earn one here. Only at the endpoints of the
    ///   authorization server: elsewhere a hybrid client shows its access token, and its cookie opens nothing.
    /// - Throws: `Denial`; anything else is a failure of the store.
    package func authorize(
        _ credentials: RequestCredentials, allowsHybrid: Bool = false
    ) async throws -> Authorization {
        if let bearer = credentials.bearer {
            return try await admit(bearer.mapError(\.denial).get())
        }
        guard let cookie = credentials.cookie else { throw Denial.sessionMissing }
        switch try cookie.mapError(\.denial).get() {
        case .live(let access, _):
            return try await admit(access)
        case .stale(let expired, let refresh):
            guard expired != nil || allowsHybrid else { throw Denial.tokenExpired }
            return try await renewed(expired, refresh)
        }
    }

    /// The authority of a cookie's value, where it is live at this moment and nobody need be asked; nil says only that this
    /// cannot be said at once.
    package func liveAccess(ofCookie value: [UInt8]) -> VerifiedAccess? {
        let now = now()
        guard case .live(let access, _)? = try? verifier.verify(cookie: value, at: now),
            !verifier.revocations.isStale(at: now), !verifier.revocations.isRevoked(access.session)
        else { return nil }
        return access
    }

    /// As `liveAccess`, for a request that is then allowed: it counts as a sighting.
    package func admit(cookie value: [UInt8]) -> VerifiedAccess? {
        let access = liveAccess(ofCookie: value)
        if let access { saw(access) }
        return access
    }

    private func admit(_ access: VerifiedAccess) async throws -> Authorization {
        if verifier.revocations.isStale(at: now()) { try await catchUp() }
        try verifier.checkNotRevoked(access)
        saw(access)
        return Authorization(access: access, renewed: nil)
    }

    private func renewed(_ expired: ExpiredAccess?, _ refresh: RefreshToken) async throws -> Authorization {
        guard let renew else { throw Denial.tokenExpired }
        switch try await renew(refresh, expired) {
        case .renewed(let tokens):
            return Authorization(access: tokens.access, renewed: tokens)
        case .straggler(let access):
            guard let access else { throw Denial.tokenExpired }
            return Authorization(access: access, renewed: nil)
        }
    }
}
