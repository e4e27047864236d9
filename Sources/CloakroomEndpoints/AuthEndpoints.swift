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
    private let log: DenialLog
    private let failures: SampledLog

    /// The endpoints of this server.
    public init(_ server: AuthorizationServer) {
        self.server = server
        endpoints = EndpointTable(Endpoint.all)
        log = DenialLog(logger: server.logger)
        failures = SampledLog(logger: server.logger)
    }

    /// Answers the paths of the contract, and passes everything else on.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard let match = endpoints.match(path) else {
            if let moved = try redirectWithoutSlash(request, path) { return moved }
            guard Endpoint.isOurs(path) else { return try await next(request, context) }
            log.write(.notFound, of: request)
            return Denial.notFound.problem.response
        }
        context.coreContext.endpointPath.value = match.path
        do {
            return try await respond(request, match, peer: context.peerAddress)
        } catch let denial as Denial {
            log.write(denial, of: request)
            return denial.problem.response
        } catch {
            // A full disk, a locked file, a lost database: nothing half-done, and nothing about it for the client.
            failures.error("a request failed", metadata: ["path": "\(match.path)", "error": "\(error)"])
            return Denial.unavailable(retryAfter: .seconds(1)).problem.response
        }
    }

    private func respond(_ request: Request, _ match: EndpointTable.Match, peer: String?) async throws -> Response {
        guard let endpoint = match.endpoint(for: request.method == .head ? .get : request.method) else {
            return try match.refuse(request.method)
        }
        if !endpoint.isForProbes || request.head.authority != nil {
            _ = try request.ownOrigin(under: server.originPolicy)
            try server.originPolicy.check(
                OriginPolicy.Request(request, cookie: server.authorizer.cookie, xsrf: server.xsrf))
        }
        var call = Call(server: server, request: request, peer: peer, parameter: match.parameter)
        if endpoint.takesForms { call.form = await FormSubmission(request, under: server.originPolicy) }
        var response = try await respond(to: call, endpoint)
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }

    private func respond(to call: Call, _ endpoint: Endpoint) async throws -> Response {
        guard let form = call.form else { return try await endpoint.respond(call) }
        do {
            return form.success(try await endpoint.respond(call))
        } catch let denial as Denial {
            log.write(denial, of: call.request)
            return form.failure(denial, of: endpoint.path)
        }
    }

    /// A path of ours with a slash too many at its end, which a framework's or a proxy's habits add. The method stays.
    private func redirectWithoutSlash(_ request: Request, _ path: String) throws(Denial) -> Response? {
        guard path.hasSuffix("/"), let match = endpoints.match(String(path.dropLast())) else { return nil }
        _ = try request.ownOrigin(under: server.originPolicy)
        let query = request.uri.query.map { "?\($0)" } ?? ""
        let location = match.path.replacing(EndpointTable.placeholder, with: match.parameter)
        return Response(
            status: .permanentRedirect, headers: [.location: location + query, .cacheControl: "no-store"])
    }
}
