import HTTPTypes
public import Hummingbird

/// Puts the headers on every answer that keep it from being read, framed or run in another context.
public struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    private let isHTTPS: Bool

    /// - Parameter isHTTPS: whether browsers reach this server over TLS.
    public init(isHTTPS: Bool) {
        self.isHTTPS = isHTTPS
    }

    /// What an answer that is not a page may do: nothing.
    private static var dataPolicy: String { "default-src 'none'; frame-ancestors 'none'; base-uri 'none'" }

    /// A worker lives under the policy of its script, and one that may load nothing breaks the whole app.
    private static var scriptPolicy: String { "frame-ancestors 'none'; base-uri 'none'" }

    /// Adds the headers to the answer; those that a route has set stay.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        // With no-referrer browsers send the forms of our own pages without an origin, and they would be refused.
        setDefault("same-origin", .referrerPolicy, &response)
        let isScript = response.headers[.contentType]?.containsASCII("javascript") == true
        setDefault(isScript ? Self.scriptPolicy : Self.dataPolicy, .contentSecurityPolicy, &response)
        setDefault("same-origin", .crossOriginResourcePolicy, &response)
        setDefault("same-origin", .crossOriginOpenerPolicy, &response)
        if isHTTPS { setDefault("max-age=31536000; includeSubDomains", .strictTransportSecurity, &response) }
        return response
    }

    private func setDefault(_ value: String, _ name: HTTPField.Name, _ response: inout Response) {
        if response.headers[name] == nil { response.headers[name] = value }
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = known("Referrer-Policy")
    fileprivate static let crossOriginResourcePolicy = known("Cross-Origin-Resource-Policy")
    fileprivate static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
}
