import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// One request to an endpoint, with what the endpoints ask of it.
struct Call: Sendable {
    let server: AuthorizationServer
    let request: Request
    /// The address of the peer of the connection.
    let peer: String?
    /// What stands for the parameter of the path.
    let parameter: String
    /// nil for a request that is no plain form.
    var form: FormSubmission?

    var sessions: SessionService { server.sessions }
    var accounts: AccountService { server.accounts }
    var cookie: SessionCookie { server.authorizer.cookie }
    var credentials: RequestCredentials { server.authorizer.credentials(request.headers) }

    var device: Device {
        let client = server.configuration.trustedProxies.client(
            peer: peer, forwardedFor: request.headers[values: .known("X-Forwarded-For")])
        return Device(userAgent: request.headers[.userAgent] ?? "", address: client)
    }

    /// Whether the request shows what browsers add and no script can take away. Not by `Sec-Fetch-Mode` alone, which
    /// Node's `fetch` sends too.
    var isFromBrowser: Bool {
        request.headers[.origin] != nil || request.headers[.secFetchSite] != nil
    }

    /// Runs `respond` with the request's authority, and hands over what was renewed on the way.
    func withAccess(_ respond: (VerifiedAccess) async throws -> Response) async throws -> Response {
        let authorization = try await server.authorizer.authorize(credentials, admitsCookieAlone: true)
        var response = try await respond(authorization.access)
        if let renewed = authorization.renewed { handOver(renewed, to: &response) }
        return response
    }

    /// The refresh token of the cookie: the refresh half is judged alone.
    /// - Throws: `Denial.sessionMissing` or `.tokenInvalid`.
    func refreshToken(_ credentials: RequestCredentials) throws(Denial) -> RefreshToken {
        guard let half = credentials.refresh else { throw .sessionMissing }
        return try sessions.read(refreshToken: half.mapError(\.denial).get().bytes.bytes)
    }

    /// What the request presents to raise its session. A bearer of ours decides alone, and beside a cookie of the same
    /// session the cookie's refresh token does, for only that can be rotated.
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

    /// The origin that the client used, for absolute addresses in answers.
    func ownOrigin() throws(Denial) -> String {
        try request.ownOrigin(under: server.originPolicy).description
    }
}
