import CloakroomCore
import CloakroomMiddleware
import HTTPTypes
public import Hummingbird
import Logging

extension Router where Context == PrivateRequestContext {
    /// Adds the endpoints for proxies, scrapers and backends: the check, metrics and probes. They answer only on a
    /// `privateListener`, without CORS and without pages.
    /// - Parameters:
    ///   - host: the name that the private listener is configured with; nil for a Unix socket.
    ///   - metrics: returns the body of `/metrics`, in the text format of Prometheus.
    public func addPrivateEndpoints(
        _ server: AuthorizationServer, host: String? = nil, metrics: @escaping @Sendable () -> String
    ) {
        add(middleware: TraceMiddleware())
        add(middleware: BodilessHead())
        add(middleware: SecurityHeaders(demandsTLS: server.demandsTLS))
        add(middleware: ProblemMiddleware(logger: server.logger, describe: { ForwardedRequest.metadata(ofCheck: $0) }))
        add(middleware: PrivateEndpoints(server, host: host, metrics: metrics))
    }
}

/// One request to an endpoint of the private listener, with the parts that those endpoints read.
struct PrivateCall: Sendable {
    let server: AuthorizationServer
    let request: Request
    let peer: AdmittedPeer
    /// The value of the path parameter; empty without one.
    let parameter: String
    let check: CheckEndpoint
    let hosts: PrivateHosts
    let log: SampledLog
    let metrics: @Sendable () -> String
}

private struct PrivateEndpoints: RouterMiddleware {
    let server: AuthorizationServer
    let endpoints: EndpointTable<PrivateCall>
    let check: CheckEndpoint
    let hosts: PrivateHosts
    let log: SampledLog
    let metrics: @Sendable () -> String

    init(_ server: AuthorizationServer, host: String?, metrics: @escaping @Sendable () -> String) {
        self.server = server
        self.metrics = metrics
        endpoints = EndpointTable(Endpoint.all) { $0.privately }
        hosts = PrivateHosts(own: [server.configuration.publicURL?.host, host])
        log = SampledLog(logger: server.logger)
        check = CheckEndpoint(server.checkRules, log: log)
    }

    func handle(
        _ request: Request, context: PrivateRequestContext,
        next: (Request, PrivateRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await respond(request, context)
        } catch let denial as Denial {
            throw denial
        } catch {
            log.error("a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            throw Denial.unavailable(retryAfter: .seconds(1))
        }
    }

    private func respond(_ request: Request, _ context: PrivateRequestContext) async throws -> Response {
        guard let peer = context.peer, let match = endpoints.match(path(of: request)) else { throw Denial.notFound }
        context.coreContext.endpointPath.value = match.path
        guard let found = match.find(request.method) else { throw Denial.methodNotAllowed(allow: match.methods) }
        let call = PrivateCall(
            server: server, request: request, peer: peer, parameter: match.parameter, check: check, hosts: hosts,
            log: log, metrics: metrics)
        return try await found.respond(call)
    }

    /// The path of the endpoint. Proxies append parameters and the request's target to the path of the check.
    private func path(of request: Request) -> String {
        CheckParameters.areIn(request.head.path ?? "") ? CheckParameters.path : request.uri.path
    }
}
