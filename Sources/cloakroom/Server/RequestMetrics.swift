import CloakroomCore
import CloakroomMiddleware
import Foundation
import HTTPTypes
import Hummingbird
import Metrics
import NIOCore

/// Counts and times requests, by route, method and status. A client cannot add series: unknown paths and methods share
/// one.
struct RequestMetrics<Context: RequestContext>: RouterMiddleware {
    private static var methods: Set<String> { ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        let response = try await next(request, context)
        let method = request.method.rawValue
        let duration = (clock.now - start).components
        Timer(
            label: "cloakroom_http_request_duration_seconds",
            dimensions: [
                ("route", context.endpointPath ?? "other"),
                ("method", Self.methods.contains(method) ? method : "other"),
                ("status", "\(response.status.code)"),
            ]
        ).recordNanoseconds(duration.seconds * 1_000_000_000 + duration.attoseconds / 1_000_000_000)
        return response
    }
}

/// `GET /metrics`, for a scraper on this machine: what runs here is nobody else's business (CVE-2022-24797).
struct MetricsEndpoint<Context: SessionRequestContext>: RouterMiddleware {
    let registry: PrometheusRegistry

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path == "/metrics" else { return try await next(request, context) }
        guard request.method == .get || request.method == .head else {
            throw Denial.methodNotAllowed(allow: ["GET", "HEAD"])
        }
        guard isLocal(context.peerAddress), request.headers[.known("X-Forwarded-For")] == nil else {
            throw Denial.notFound
        }
        let response = Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: registry.text)))
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func isLocal(_ address: String?) -> Bool {
        address == "127.0.0.1" || address == "::1" || address == "::ffff:127.0.0.1"
    }
}
