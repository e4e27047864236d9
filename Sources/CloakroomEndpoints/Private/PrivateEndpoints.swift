import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
public import Hummingbird
import Logging
import NIOCore

extension Router where Context == PrivateRequestContext {
    /// Adds the endpoints for proxies, scrapers and backends: the check, metrics and probes. They answer only on a
    /// `privateListener`, without CORS and without pages.
    /// - Parameters:
    ///   - host: the name that the private listener is configured with; nil for a Unix socket.
    ///   - metrics: returns the body of `/metrics`, in the text format of Prometheus.
    public func addPrivateEndpoints(
        _ server: AuthorizationServer, host: String? = nil, metrics: @escaping @Sendable () -> String
    ) {
        add(middleware: BodilessHead())
        add(middleware: SecurityHeaders(isHTTPS: server.isHTTPS))
        add(middleware: ProblemMiddleware(logger: server.logger, describe: { ForwardedRequest.metadata(ofCheck: $0) }))
        add(middleware: PrivateEndpoints(server, host: host, metrics: metrics))
    }
}

private struct PrivateEndpoints: RouterMiddleware {
    let server: AuthorizationServer
    let check: CheckEndpoint
    let hosts: PrivateHosts
    let log: SampledLog
    let metrics: @Sendable () -> String

    init(_ server: AuthorizationServer, host: String?, metrics: @escaping @Sendable () -> String) {
        self.server = server
        self.metrics = metrics
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
        guard let peer = context.peer else { throw Denial.notFound }
        if let parameters = try CheckParameters(request.head.path ?? "") {
            context.coreContext.endpointPath.value = "/auth/check"
            return try await check.respond(to: request, parameters, from: peer)
        }
        let path = request.uri.path
        guard ["/metrics", "/healthz", "/readyz"].contains(path) else { throw Denial.notFound }
        context.coreContext.endpointPath.value = path
        guard request.method == .get || request.method == .head else {
            throw Denial.methodNotAllowed(allow: ["GET", "HEAD"])
        }
        switch path {
        case "/metrics":
            try checkHost(of: request)
            return text(metrics())
        case "/readyz" where await !server.isReady(): throw Denial.unavailable(retryAfter: .seconds(1))
        default: return .json(["status": .string(path == "/readyz" ? "ready" : "ok")])
        }
    }

    /// On the Unix socket too: a proxy passes on the name that its client asked for.
    ///
    /// The probes say nothing that the public ones do not say to any page, and a check under a foreign name comes without
    /// our cookie.
    /// - Throws: `Denial.misdirectedRequest`.
    private func checkHost(of request: Request) throws(Denial) {
        let host = request.head.authority
        guard !hosts.contains(host) else { return }
        log.warning(
            "metrics were refused under a name that a foreign page can have: scrape by address, or name the host in privateListen",
            metadata: ["host": "\(host ?? "")"])
        throw .misdirectedRequest
    }

    private func text(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
