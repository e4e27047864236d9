import CloakroomCore
public import CloakroomMiddleware
import HTTPTypes
public import Hummingbird
import Logging

/// The authorization server's endpoints, as one middleware to be added to any router: it answers the paths of the
/// contract and lets everything else pass.
///
/// ```swift
/// router.add(middleware: AuthEndpoints(server))
/// ```
public struct AuthEndpoints<Context: SessionRequestContext>: RouterMiddleware {
    private let server: AuthorizationServer
    private let endpoints: EndpointTable

    /// The endpoints of this server.
    public init(_ server: AuthorizationServer) {
        self.server = server
        endpoints = EndpointTable(Endpoint.all)
    }

    /// Answers the paths of the contract, and passes everything else on.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard let match = endpoints.match(path) else {
            return Endpoint.isOurs(path) ? Denial.notFound.problem.response : try await next(request, context)
        }
        context.coreContext.endpointPath.value = match.path
        do {
            return try await respond(request, match, peer: context.peerAddress)
        } catch let denial as Denial {
            return denial.problem.response
        } catch {
            // A full disk, a locked file, a lost database: nothing half-done, and nothing about it for the client.
            server.logger.error("a request failed", metadata: ["path": "\(match.path)", "error": "\(error)"])
            return Denial.unavailable(retryAfter: .seconds(1)).problem.response
        }
    }

    private func respond(_ request: Request, _ match: EndpointTable.Match, peer: String?) async throws -> Response {
        try request.checkHost()
        _ = try server.originPolicy.origin(forHost: request.head.authority)
        let isHead = request.method == .head
        guard let endpoint = match.endpoint(for: isHead ? .get : request.method) else {
            return try match.refuse(request.method)
        }
        if !endpoint.answersForOthers {
            try server.originPolicy.check(
                OriginPolicy.Request(request, cookie: server.authorizer.cookie, xsrf: server.xsrf))
        }
        let call = Call(server: server, request: request, peer: peer, parameter: match.parameter)
        var response = try await endpoint.respond(call)
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return isHead ? response.createHeadResponse() : response
    }
}
