package import HTTPTypes
package import Hummingbird

/// Adds headers to every response that stop other sites from reading, framing or running it.
package struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    private let fields: ProtectiveFields

    /// - Parameter demandsTLS: whether browsers are told to use TLS alone.
    package init(demandsTLS: Bool) {
        fields = ProtectiveFields(demandsTLS: demandsTLS)
    }

    /// The headers of a response that is neither a page nor a script.
    package static func fieldsOfData(demandsTLS: Bool) -> [HTTPField] {
        ProtectiveFields(demandsTLS: demandsTLS).allOfData
    }

    /// Adds the headers to the response; does not replace those that a route has set.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        fields.add(to: &response.headers)
        return response
    }
}

/// The headers, created once: the framework validates names and values each time that a header is created.
private struct ProtectiveFields: Sendable {
    private let noSniffing = HTTPField(name: .xContentTypeOptions, value: "nosniff")
    private let ofData: [HTTPField]
    private let ofScripts: [HTTPField]

    init(demandsTLS: Bool) {
        let always = [
            // With no-referrer, browsers send `Origin: null` with our own forms, and the origin check would fail.
            HTTPField(name: .known("Referrer-Policy"), value: "same-origin"),
            HTTPField(name: .known("Cross-Origin-Resource-Policy"), value: "same-origin"),
            HTTPField(name: .known("Cross-Origin-Opener-Policy"), value: "same-origin"),
        ]
        let transport = HTTPField(name: .strictTransportSecurity, value: "max-age=31536000; includeSubDomains")
        let all = demandsTLS ? always + [transport] : always
        ofData = all + [Self.policy("default-src 'none'; frame-ancestors 'none'; base-uri 'none'")]
        // A worker runs under the policy of its script; one that may load nothing breaks the whole app.
        ofScripts = all + [Self.policy("frame-ancestors 'none'; base-uri 'none'")]
    }

    var allOfData: [HTTPField] { [noSniffing] + ofData }

    private static func policy(_ value: String) -> HTTPField {
        HTTPField(name: .contentSecurityPolicy, value: value)
    }

    func add(to headers: inout HTTPFields) {
        let isScript = headers.contains { $0.name == .contentType && $0.value.containsASCII("javascript") }
        headers[.xContentTypeOptions] = nil
        headers.append(noSniffing)
        for field in isScript ? ofScripts : ofData where !headers.contains(where: { $0.name == field.name }) {
            headers.append(field)
        }
    }
}
