public import CloakroomCore
import CloakroomTokens
import HTTPTypes
public import Hummingbird
import Logging

/// Finds the session of a request, renews it inline if its access token has expired, and stores the result in the
/// context. It refuses no request: `RequireSession` or the route does that.
package struct SessionMiddleware<Context: SessionRequestContext>: RouterMiddleware {
    private let authorizer: SessionAuthorizer
    private let policy: OriginPolicy

    /// - Parameters:
    ///   - authorizer: the authorizer of an `AuthorizationServer`.
    ///   - policy: knows the hosts of the server.
    package init(_ authorizer: SessionAuthorizer, under policy: OriginPolicy) {
        self.authorizer = authorizer
        self.policy = policy
    }

    /// Finds the session, calls `next`, and adds renewed tokens to the response.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let credentials = authorizer.credentials(
            request.headers, to: policy.sessionHost(forHost: request.head.authority))
        guard credentials.cookie != nil || credentials.bearer != nil else {
            return try await next(request, context)
        }
        var context = context
        let renewed: IssuedTokens?
        (context.sessionState, renewed) = await find(credentials, context)
        var response = try await next(request, context)
        if let renewed { response.hand(over: authorizer.cookie.setting(renewed, for: request.headers)) }
        return response
    }

    private func find(_ credentials: RequestCredentials, _ context: Context) async -> (SessionState, IssuedTokens?) {
        do {
            let authorization = try await authorizer.authorize(credentials)
            return (SessionState(.verified(authorization.access)), authorization.renewed)
        } catch let denial as Denial {
            return (SessionState(.refused(denial)), nil)
        } catch {
            context.logger.error("the session could not be looked up", metadata: ["error": "\(error)"])
            return (SessionState(.refused(.unavailable(retryAfter: .seconds(1)))), nil)
        }
    }
}

extension Response {
    /// Adds a `Set-Cookie` to the response and forbids caching it (RFC 9111 section 7.3). Leaves a problem response
    /// alone: a late denial must not replace a newer cookie.
    package mutating func hand(over setCookie: String?) {
        guard let setCookie, headers[.contentType] != ProblemAnswer.contentType else { return }
        headers.append(HTTPField(name: .setCookie, value: setCookie))
        headers[.cacheControl] = "no-store"
    }
}

/// Refuses requests without a session, or with one whose authentication is not fresh or strong enough.
public struct RequireSession<Context: SessionRequestContext>: RouterMiddleware {
    private let stepUp: StepUp?
    private let now: @Sendable () -> Instant

    /// - Parameter stepUp: the level and freshness that the routes demand in addition to a session (RFC 9470).
    public init(stepUp: StepUp? = nil, now: @escaping @Sendable () -> Instant) {
        self.stepUp = stepUp
        self.now = now
    }

    /// Throws a `RefusedRequest`, or calls `next`.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let access = try context.access
        try stepUp?.check(access.authentication, of: access.subject, at: now())
        return try await next(request, context)
    }
}
