import CloakroomMiddleware
import Hummingbird

/// A resource isolation policy as it is recommended: nothing from elsewhere but navigations by link, and whoever sends no
/// Fetch Metadata is let through (web.dev, "Protect your resources from web attacks with Fetch Metadata").
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
