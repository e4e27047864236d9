public import Hummingbird

/// Takes the body off every answer to HEAD, refusals included (RFC 9110 section 9.3.2): a client that reads one takes it
/// for the next answer.
public struct BodilessHead<Context: RequestContext>: RouterMiddleware {
    /// Put it before everything that answers.
    public init() {}

    /// Takes off what stands behind the head.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        return request.method == .head ? response.createHeadResponse() : response
    }
}
