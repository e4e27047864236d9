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
        var response = request.isPreflight && origin != nil ? preflight(request) : try await next(request, context)
        response.headers[.vary] = (response.headers[.vary].map { "\($0), " } ?? "") + "Origin"
        guard let origin else { return response }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlAllowCredentials] = "true"
        response.headers[.accessControlExposeHeaders] = "WWW-Authenticate, Retry-After"
        return response
    }

    /// Allows the headers that are asked for, tracing headers that nobody here has thought of too: for an origin that is
    /// trusted with credentials no header means more.
    private func preflight(_ request: Request) -> Response {
        let requested = request.headers[.accessControlRequestHeaders].flatMap { Self.isListOfNames($0) ? $0 : nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, POST, PUT, PATCH, DELETE",
                .accessControlAllowHeaders: requested ?? "Content-Type, Authorization",
                .accessControlMaxAge: "600",
            ])
    }
}

extension CrossOriginSharing {
    /// Whether these are names of headers, as browsers list them; anything else is not repeated.
    private static func isListOfNames(_ text: String) -> Bool {
        1...1024 ~= text.utf8.count
            && text.split(separator: ",").allSatisfy { HTTPField.Name(String($0.drop { $0 == " " })) != nil }
    }
}

extension Request {
    /// Whether a browser asks if it may send the request that it really wants to send (Fetch standard, section 3.3).
    package var isPreflight: Bool {
        method == .options && headers[.accessControlRequestMethod] != nil
    }
}
