import CloakroomCore
import CloakroomMiddleware
import CloakroomService
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// One request to an endpoint, with what the endpoints ask of it.
struct Call: Sendable {
    let server: AuthorizationServer
    let request: Request
    /// The address of the peer of the connection.
    let peer: String?
    /// What stands for `{id}` in the path.
    let parameter: String

    var service: SessionService { server.service }
    var cookie: SessionCookie { server.authorizer.cookie }
    var credentials: RequestCredentials { server.authorizer.credentials(request.headers) }

    var device: SessionService.Device {
        let client = server.configuration.trustedProxies.client(
            peer: peer, forwardedFor: request.headers[values: .known("X-Forwarded-For")])
        return SessionService.Device(userAgent: request.headers[.userAgent] ?? "", address: client)
    }

    /// Whether the request shows what every current browser adds and no script can take away.
    var isFromBrowser: Bool {
        request.headers.contains { $0.name == .origin || $0.name.canonicalName.hasPrefix("sec-fetch-") }
    }

    /// Runs `respond` with the request's authority, and hands over what was renewed on the way.
    func withAccess(_ respond: (VerifiedAccess) async throws -> Response) async throws -> Response {
        let authorization = try await server.authorizer.authorize(credentials, allowsHybrid: true)
        var response = try await respond(authorization.access)
        if let renewed = authorization.renewed { handOver(renewed, to: &response) }
        return response
    }

    /// What the request presents to raise or end its session: the cookie's refresh token before a bearer token, for
    /// only that can be rotated.
    func presented(_ credentials: RequestCredentials) throws(Denial) -> SessionService.Presented {
        if let cookie = credentials.cookie { return .refresh(try cookie.mapError(\.denial).get().refreshToken) }
        guard let bearer = credentials.bearer else { throw .sessionMissing }
        return .access(try bearer.mapError(\.denial).get())
    }

    func handOver(_ tokens: IssuedTokens?, to response: inout Response) {
        guard let tokens else { return }
        response.hand(over: cookie.setting(tokens, for: request.headers))
    }

    /// The origin that the client used, for absolute addresses in answers.
    func ownOrigin() throws(Denial) -> String {
        try server.originPolicy.origin(forHost: request.head.authority).description
    }
}
