package import CloakroomCore
package import HTTPTypes
package import Hummingbird
package import Logging

/// Handles a request with its trace as the current one, so that the log lines that the request causes have its id.
///
/// Add it before middleware that logs. The headers of the trace are not changed.
package struct TraceMiddleware<Context: RequestContext>: RouterMiddleware {
    package init() {}

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let trace = TraceID(request.headers) else { return try await next(request, context) }
        return try await TraceID.$current.withValue(trace) { try await next(request, context) }
    }
}

extension TraceID {
    /// The trace of a request; nil if it has none.
    package init?(_ headers: HTTPFields) {
        self.init(traceparent: headers[values: .traceparent])
    }
}

extension HTTPField.Name {
    fileprivate static let traceparent = known("traceparent")
}

extension Logger.Metadata {
    /// The field `trace_id`; empty without a trace.
    package init(_ trace: TraceID?) {
        self = trace.map { ["trace_id": "\($0)"] } ?? [:]
    }
}

extension Logger.MetadataProvider {
    /// Adds the id of the current trace to each line.
    package static let trace = Logger.MetadataProvider { Logger.Metadata(TraceID.current) }
}
