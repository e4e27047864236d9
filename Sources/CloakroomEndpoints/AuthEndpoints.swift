import CloakroomCore
package import CloakroomMiddleware
import HTTPTypes
package import Hummingbird
import Logging

/// The authorization server's endpoints, as one middleware to be added to any router: it answers the paths of the
/// contract and lets everything else pass.
///
/// ```swift
/// router.add(middleware: AuthEndpoints(server))
/// ```
package struct AuthEndpoints<Context: SessionRequestContext>: RouterMiddleware {
    private let server: AuthorizationServer
    private let endpoints: EndpointTable<Call>
    private let log: DenialLog
    private let failures: SampledLog

    /// Creates the middleware for one server.
    package init(_ server: AuthorizationServer) {
        self.server = server
        endpoints = EndpointTable(Endpoint.all) { $0.publicly }
        log = DenialLog(logger: server.logger)
        failures = SampledLog(logger: server.logger)
    }

    /// Responds to the paths of the contract, and passes every other request to the next handler.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard let match = endpoints.match(path) else {
            if let moved = try redirectWithoutSlash(request, path) { return moved }
            guard Self.isOurs(path) else { return try await next(request, context) }
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
            // A full disk, a locked file, a lost database: nothing was committed, and the client gets no details.
            failures.error("a request failed", metadata: ["path": "\(match.path)", "error": "\(error)"])
            return Denial.unavailable(retryAfter: .seconds(1)).problem.response
        }
    }

    /// Whether this middleware refuses a path without endpoint, instead of passing it to the app.
    private static func isOurs(_ path: String) -> Bool {
        path == "/auth" || path.hasPrefix("/auth/")
    }

    private func respond(
        _ request: Request, _ match: EndpointTable<Call>.Match, peer: String?
    ) async throws -> Response {
        guard let (endpoint, answer) = match.find(request.method) else {
            let allowed = match.methods + ["OPTIONS"]
            guard request.method == .options else { throw Denial.methodNotAllowed(allow: allowed) }
            if request.isPreflight { log.writePreflight(request) }
            return Response(status: .noContent, headers: [.allow: allowed.joined(separator: ", ")])
        }
        if !endpoint.isForProbes || server.originPolicy.hosts.isEmpty && request.head.authority != nil {
            _ = try request.ownOrigin(under: server.originPolicy)
            try server.originPolicy.check(
                OriginPolicy.Request(request, cookie: server.authorizer.cookie, xsrf: server.xsrf))
        }
        var call = Call(server: server, request: request, peer: peer, parameter: match.parameter)
        try await learnKeys(of: call, for: endpoint.operation.security)
        if case .jsonOrForm? = endpoint.place {
            call.form = await FormSubmission(request, under: server.originPolicy)
        }
        var response = try await respond(to: call, of: endpoint.operation.path, answer)
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }

    /// Reads the keys once more if a token of the request names an unknown key. The endpoint then reads the tokens.
    private func learnKeys(of call: Call, for security: Operation.Security) async throws(Denial) {
        switch security {
        case .session, .cookieIfAny: _ = try await server.authorizer.withKnownKeys(call.credentials)
        // A logout goes on without the keys.
        case .sessionIfAny: _ = try? await server.authorizer.withKnownKeys(call.credentials)
        case .none, .serviceKey: break
        }
    }

    private func respond(
        to call: Call, of path: String, _ answer: EndpointTable<Call>.Respond
    ) async throws -> Response {
        guard let form = call.form else { return try await answer(call) }
        do {
            return form.success(try await answer(call))
        } catch let denial as Denial {
            log.write(denial, of: call.request)
            return form.failure(denial, of: path)
        }
    }

    /// Redirects a path of the contract with a trailing slash, which some frameworks and proxies add, to the path
    /// without it. The method stays the same.
    private func redirectWithoutSlash(_ request: Request, _ path: String) throws(Denial) -> Response? {
        guard path.hasSuffix("/"), endpoints.match(String(path.dropLast())) != nil else { return nil }
        _ = try request.ownOrigin(under: server.originPolicy)
        let query = request.uri.query.map { "?\($0)" } ?? ""
        return Response(
            status: .permanentRedirect,
            headers: [.location: path.dropLast() + query, .cacheControl: "no-store"])
    }
}
