import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import Foundation
import HTTPTypes
import Hummingbird
import Metrics
import NIOCore
import Synchronization

/// Counts and times requests, by route, method and status. A client cannot add series: unknown paths and methods share
/// one.
struct RequestMetrics<Context: RequestContext>: RouterMiddleware {
    private let timers = RequestTimers()

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let timer = timers.timer(
            route: context.endpointPath ?? "other", method: request.method, status: response.status.code)
        timer.record(start.duration(to: .now))
        return response
    }
}

/// The timers of `RequestMetrics`, each created once.
final class RequestTimers: Sendable {
    private struct Key: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private let timers = Mutex<[Key: Metrics.Timer]>([:])
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    func timer(route: String, method: HTTPRequest.Method, status: Int) -> Metrics.Timer {
        let method = Self.methods.contains(method.rawValue) ? method.rawValue : "other"
        let key = Key(route: route, method: method, status: status)
        return timers.withLock { timers in
            if let known = timers[key] { return known }
            let timer = Self.make(key)
            timers[key] = timer
            return timer
        }
    }

    /// Records a response of the gateway.
    /// - Parameter route: the pattern of the rule; nil when none matched.
    func record(route: String?, method: String, status: Int, _ duration: Duration) {
        let method = HTTPRequest.Method(method) ?? .get
        timer(route: route ?? "other", method: method, status: status).record(duration)
    }

    private static func make(_ key: Key) -> Metrics.Timer {
        Metrics.Timer(
            label: "cloakroom_http_request_duration_seconds",
            dimensions: [("route", key.route), ("method", key.method), ("status", "\(key.status)")])
    }

    /// Records the responses of an endpoint that pass no middleware.
    func recording(_ method: String, _ path: String) -> @Sendable (_ status: Int, Duration) -> Void {
        { status, duration in self.record(route: path, method: method, status: status, duration) }
    }
}

extension Metrics.Timer {
    fileprivate func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
