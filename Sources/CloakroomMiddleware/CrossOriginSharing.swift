public import CloakroomCore
import HTTPTypes
public import Hummingbird

/// Lets the pages of trusted origins read our answers (Fetch standard, CORS protocol), and nobody else's.
public struct CrossOriginSharing<Context: RequestContext>: RouterMiddleware {
    private let trusted: Set<String>

    /// Opens answers to these origins.
    public init(trustedOrigins: Set<WebOrigin>) {
        trusted = Set(trustedOrigins.map(\.description))
    }

    /// Answers preflights of trusted origins, and lets them read answers.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !trusted.isEmpty else { return try await next(request, context) }
        let origin = request.headers[.origin].flatMap { trusted.contains($0) ? $0 : nil }
        var response = isPreflight(request) && origin != nil ? preflight : try await next(request, context)
        response.headers[.vary] = (response.headers[.vary].map { "\($0), " } ?? "") + "Origin"
        guard let origin else { return response }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlAllowCredentials] = "true"
        response.headers[.accessControlExposeHeaders] = "WWW-Authenticate, Retry-After"
        return response
    }

    private func isPreflight(_ request: Request) -> Bool {
        request.method == .options && request.headers[.accessControlRequestMethod] != nil
    }

    private var preflight: Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, POST, PUT, PATCH, DELETE",
                .accessControlAllowHeaders: "Content-Type, Authorization",
                .accessControlMaxAge: "600",
            ])
    }
}
