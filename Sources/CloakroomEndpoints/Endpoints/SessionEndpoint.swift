import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Returns the session of the request. A request without a session gets 200 as well.
    static let session = Endpoint(
        Operation(
            .get, "/auth/session", "session", "Who is logged in",
            details: "An expired access token is renewed on the way.", tag: .sessions, security: .sessionIfAny,
            answers: [Answer(.ok, "Always 200.", .json(SessionAnswer.state), headers: [.sessionCookie])],
            denials: [.unavailable]),
        reads: .query(.flag("passive", help: "With `1` it neither renews nor counts as activity."))
    ) { call, fields in
        let isPassive = try await fields()
        do {
            return call.answer(isPassive ? try await call.observe() : try await call.current())
        } catch let denial as Denial {
            guard denial.isAboutTheSession else { throw denial }
            return SessionAnswer.state.response(nil)
        }
    }
}

extension Call {
    fileprivate func current() async throws -> SessionGrant {
        let authorization = try await server.authorizer.authorize(credentials, admitsCookieAlone: true)
        return try await sessions.current(
            authorization.access, holding: authorization.presented, renewal: authorization.renewal)
    }

    fileprivate func observe() async throws -> SessionGrant {
        let credentials = credentials
        if case .ours(let bearer)? = credentials.bearer {
            let access = try bearer.mapError(\.denial).get()
            return try await sessions.current(access, holding: access)
        }
        if let access = credentials.liveCookieAccess { return try await sessions.current(access, holding: access) }
        return try await sessions.peek(refreshToken(credentials))
    }
}

extension Denial {
    /// Whether the denial means that the request has no valid session, rather than that the server cannot decide.
    var isAboutTheSession: Bool {
        switch kind {
        case .sessionMissing, .tokenInvalid, .tokenExpired, .sessionExpired, .sessionRevoked, .refreshTokenReused,
            .bindingRequired:
            true
        case .invalidRequest, .unsupportedMediaType, .contentTooLarge, .crossSiteRequest, .invalidCredentials,
            .insufficientUserAuthentication, .stepUpUnavailable, .rateLimited, .accountExists, .insufficientClaims,
            .serviceKeyInvalid, .serviceScope, .serviceOnly, .subjectBlocked, .loginHostOnly,
            .misdirectedRequest,
            .serviceWorkerRefused, .notFound, .methodNotAllowed, .headTooLarge, .targetTooLong, .requestTimeout,
            .expectationFailed, .notImplemented, .versionNotSupported, .unavailable, .upstreamUnavailable,
            .upstreamTimeout:
            false
        }
    }
}
