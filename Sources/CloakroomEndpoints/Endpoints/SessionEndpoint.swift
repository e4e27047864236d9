import CloakroomCore
import CloakroomMiddleware
import CloakroomService
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
        do {
            let authorization = try await server.authorizer.authorize(credentials, allowsHybrid: true)
            return try await service.current(authorization.access, tokens: authorization.renewed)
        } catch Denial.tokenExpired {
            // A hybrid client's late request: its session lives, but there is no token to give.
            guard let token = credentials.refreshToken else { throw Denial.tokenExpired }
            return try await service.peek(token)
        }
    }

    fileprivate func observe() async throws -> SessionGrant {
        let credentials = credentials
        if let bearer = credentials.bearer { return try await service.current(bearer.mapError(\.denial).get()) }
        guard let cookie = credentials.cookie else { throw Denial.sessionMissing }
        switch try cookie.mapError(\.denial).get() {
        case .live(let access, _): return try await service.current(access)
        case .stale(_, let token): return try await service.peek(token)
        }
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
            .insufficientUserAuthentication, .rateLimited, .accountExists, .misdirectedRequest, .untrustedProxy,
            .serviceWorkerRefused,
            .notFound, .methodNotAllowed, .unavailable:
            false
        }
    }
}
