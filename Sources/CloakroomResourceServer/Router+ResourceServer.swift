import CloakroomCore
public import CloakroomMiddleware
import HTTPTypes
public import Hummingbird

extension Router where Context: SessionRequestContext {
    /// Adds what protects every route that is added after this call: problem answers, and the session of the access
    /// token in the context. A route demands a session with `RequireSession` or with `context.access`.
    ///
    /// ```swift
    /// router.addResourceServer(server)
    /// router.get("/me") { _, context in try context.access.subject.rawValue }
    /// ```
    public func addResourceServer(_ server: ResourceServer) {
        add(middleware: BodilessHead())
        add(middleware: ProblemMiddleware(logger: server.logger))
        add(middleware: BearerMiddleware(server: server))
    }
}

/// Verifies the bearer token of a request, and stores the result in the context. It refuses no request:
/// `RequireSession` or the route does that.
private struct BearerMiddleware<Context: SessionRequestContext>: RouterMiddleware {
    let server: ResourceServer

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.sessionState = await server.sessionState(for: request.headers[values: .authorization])
        return try await next(request, context)
    }
}
