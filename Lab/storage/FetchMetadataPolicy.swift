import HTTPTypes
import Hummingbird

/// The resource isolation policy of web.dev ("Protect your resources from web attacks with Fetch Metadata"): from other
/// origins only navigations with GET pass, and a request without Fetch Metadata passes.
struct FetchMetadataPolicy<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let isLink = request.method == .get && request.headers[.secFetchMode] == "navigate"
        switch request.headers[.secFetchSite] {
        case nil, "same-origin", "none": return try await next(request, context)
        case _ where isLink: return try await next(request, context)
        default: throw HTTPError(.forbidden)
        }
    }
}
