import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `GET /auth/session`: always 200. With `?passive=1` it neither renews nor counts as activity.
    static let session = Endpoint(.get, "/auth/session") { call in
        let isPassive = call.request.uri.queryParameters["passive"] == "1"
        do {
            return call.answer(isPassive ? try await call.observe() : try await call.current())
        } catch let denial as Denial {
            guard denial.isAboutTheSession else { throw denial }
            return .json(["authenticated": false])
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
    /// Whether it says that the requester is nobody, as against that the server cannot tell.
    fileprivate var isAboutTheSession: Bool {
        switch self {
        case .sessionMissing, .tokenInvalid, .tokenExpired, .sessionExpired, .sessionRevoked, .refreshTokenReused,
            .bindingRequired:
            true
        case .invalidRequest, .unsupportedMediaType, .contentTooLarge, .crossSiteRequest, .invalidCredentials,
            .insufficientUserAuthentication, .stepUpUnavailable, .rateLimited, .accountExists, .misdirectedRequest,
            .serviceWorkerRefused, .notFound, .methodNotAllowed, .headTooLarge, .requestTimeout, .unavailable:
            false
        }
    }
}
