package import CloakroomCore
package import HTTPTypes
package import Hummingbird

/// Lets only pages of trusted origins read our responses (Fetch standard, CORS protocol).
package struct CrossOriginSharing<Context: RequestContext>: RouterMiddleware {
    private let policy: OriginPolicy

    /// Trusts the policy's trusted origins with credentials.
    package init(_ policy: OriginPolicy) {
        self.policy = policy
    }

    /// Responds to preflights of trusted origins, and adds the CORS headers to other responses.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let origin = request.headers[.origin].flatMap { policy.trusts($0) ? $0 : nil }
        var response = request.isPreflight && origin != nil ? preflight(request) : try await next(request, context)
        let vary = response.headers[.vary].map { "\($0), " } ?? ""
        for field in Self.fields(readableBy: origin) {
            response.headers[field.name] = field.name == .vary ? vary + field.value : field.value
        }
        return response
    }

    /// The headers of a response to a request with this `Origin`, where this middleware is in use.
    package static func fields(for origin: String?, under policy: OriginPolicy) -> [HTTPField] {
        policy.trustedOrigins.isEmpty ? [] : fields(readableBy: origin.flatMap { policy.trusts($0) ? $0 : nil })
    }

    /// - Parameter origin: a trusted one, or nil.
    private static func fields(readableBy origin: String?) -> [HTTPField] {
        let vary = HTTPField(name: .vary, value: "Origin")
        guard let origin else { return [vary] }
        return [
            vary, HTTPField(name: .accessControlAllowOrigin, value: origin),
            HTTPField(name: .accessControlAllowCredentials, value: "true"),
            HTTPField(name: .accessControlExposeHeaders, value: "WWW-Authenticate, Retry-After"),
        ]
    }

    /// Allows every header that the preflight names, such as a tracing header that we do not know: an origin that is
    /// trusted with credentials gains nothing by another header.
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
    /// Whether the text is a list of header names, as browsers write it. The response does not echo any other text.
    private static func isListOfNames(_ text: String) -> Bool {
        1...1024 ~= text.utf8.count
            && text.split(separator: ",").allSatisfy { HTTPField.Name(String($0.drop { $0 == " " })) != nil }
    }
}

extension Request {
    /// Whether the request is a CORS preflight (Fetch standard, section 3.3).
    package var isPreflight: Bool {
        method == .options && headers[.accessControlRequestMethod] != nil
    }
}
