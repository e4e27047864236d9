package import Hummingbird

/// Removes the body from every response to HEAD, including denials (RFC 9110 section 9.3.2): a client would parse the
/// body as the next response.
package struct BodilessHead<Context: RequestContext>: RouterMiddleware {
    /// Add it before every handler that responds.
    package init() {}

    /// Removes the body of the response if the method is HEAD.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        return request.method == .head ? response.createHeadResponse() : response
    }
}
