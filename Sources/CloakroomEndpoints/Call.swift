import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// One request to an endpoint, with the parts that the endpoints read.
struct Call: Sendable {
    let server: AuthorizationServer
    let request: Request
    /// The address of the peer of the connection.
    let peer: String?
    /// The value of the path parameter; empty without one.
    let parameter: String
    /// nil when the request is not a plain HTML form.
    var form: FormSubmission?

    var sessions: SessionService { server.sessions }
    var accounts: AccountService { server.accounts }
    var cookie: SessionCookie { server.authorizer.cookie }
    /// The host whose sessions the request may use.
    var host: SessionHost { server.originPolicy.sessionHost(forHost: request.head.authority) }
    var credentials: RequestCredentials { server.authorizer.credentials(request.headers, to: host) }

    var device: Device {
        let client = server.configuration.trustedProxies.client(
            peer: peer, forwardedFor: request.headers[values: .known("X-Forwarded-For")])
        return Device(userAgent: request.headers[.userAgent] ?? "", address: client)
    }

    /// Whether the request carries headers that browsers add and no script can remove. `Sec-Fetch-Mode` alone does
    /// not count, because Node's `fetch` sends it too.
    var isFromBrowser: Bool {
        request.headers[.origin] != nil || request.headers[.secFetchSite] != nil
    }

    /// Authorizes the request, runs `respond`, and adds renewed tokens to the response.
    func withAccess(_ respond: (VerifiedAccess) async throws -> Response) async throws -> Response {
        let authorization = try await server.authorizer.authorize(credentials, admitsCookieAlone: true)
        var response = try await respond(authorization.access)
        if let renewed = authorization.renewed { handOver(renewed, to: &response) }
        return response
    }

    /// The refresh token of the cookie, read from its refresh half alone.
    func refreshToken(_ credentials: RequestCredentials) throws(Denial) -> RefreshToken {
        guard let half = credentials.refresh else { throw .sessionMissing }
        return try sessions.read(refreshToken: half.mapError(\.denial).get().bytes.bytes, at: host)
    }

    /// The token with which the request raises its session. A bearer token of this server counts alone. Beside a
    /// cookie of the same session, the cookie's refresh token counts, because only that can be rotated.
    /// - Throws: `Denial.sessionMissing`, `.tokenExpired` or `.tokenInvalid`, also for two different sessions.
    func presented(_ credentials: RequestCredentials) throws(Denial) -> SessionService.Presented {
        let cookie = credentials.cookie == nil ? nil : Result { () throws(Denial) in try refreshToken(credentials) }
        switch credentials.bearer {
        case .ours(let result):
            let access = try result.mapError(\.denial).get()
            guard let cookie else { return .access(access, isFromBrowser: isFromBrowser) }
            let token = try cookie.get()
            guard token.session == access.session else { throw .tokenInvalid }
            return .refresh(token)
        case .foreign(let fault):
            guard let cookie else { throw fault.denial }
            return .refresh(try cookie.get())
        case nil:
            guard let cookie else { throw .sessionMissing }
            return .refresh(try cookie.get())
        }
    }

    func handOver(_ tokens: IssuedTokens?, to response: inout Response) {
        guard let tokens else { return }
        response.hand(over: cookie.setting(tokens, for: request.headers))
    }

    /// The origin that the client used, for absolute URLs in responses.
    func ownOrigin() throws(Denial) -> String {
        try request.ownOrigin(under: server.originPolicy).description
    }
}
