import HTTPTypes
import Hummingbird

/// Finds the endpoints of a path on one listener, by the exact bytes of the path: its meaning must not depend on the
/// normalisation of a server or proxy.
struct EndpointTable<Asked>: Sendable {
    typealias Respond = @Sendable (Asked) async throws -> Response

    typealias Route = (endpoint: Endpoint, respond: Respond)
    private let exact: [String: [Route]]
    /// The routes with a parameter.
    private let templates: [Template]

    /// The routes of one path with a parameter: what stands before it, and what follows.
    private struct Template {
        let before: String
        let after: String
        let routes: [Route]
    }

    /// - Parameter respond: returns the listener's function for an endpoint; nil if the listener does not have it.
    init(_ endpoints: [Endpoint], _ respond: (Endpoint) -> Respond?) {
        let routes = endpoints.compactMap { endpoint in respond(endpoint).map { (endpoint, $0) } }
        exact = Dictionary(grouping: routes.filter { $0.0.operation.parameter == nil }, by: \.0.operation.path)
        let parametric = routes.filter { $0.0.operation.parameter != nil }
        templates = Dictionary(grouping: parametric, by: \.0.operation.path).compactMap { path, routes in
            guard let placeholder = routes.first?.0.operation.parameter?.placeholder,
                let range = path.firstRange(of: placeholder)
            else { return nil }
            return Template(
                before: String(path[..<range.lowerBound]), after: String(path[range.upperBound...]), routes: routes)
        }
    }

    struct Match {
        /// The path in the description of the endpoint.
        let path: String
        /// The value of the path parameter; empty without one.
        let parameter: String
        fileprivate let routes: [Route]

        func find(_ method: HTTPRequest.Method) -> (endpoint: Endpoint, respond: Respond)? {
            let method = method == .head ? .get : method
            return routes.first { $0.endpoint.operation.takesAnyMethod || $0.endpoint.operation.method == method }
        }

        /// The methods of the path. `GET` adds `HEAD`.
        var methods: [String] {
            routes.map(\.endpoint.operation.method.rawValue).flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }
        }
    }

    func match(_ path: String) -> Match? {
        if let routes = exact[path] { return Match(path: path, parameter: "", routes: routes) }
        for template in templates {
            if let match = match(path, template) { return match }
        }
        return nil
    }

    private func match(_ path: String, _ template: Template) -> Match? {
        let (before, after) = (template.before.utf8, template.after.utf8)
        guard path.utf8.count > before.count + after.count, path.utf8.starts(with: before),
            path.utf8.suffix(after.count).elementsEqual(after),
            let operation = template.routes.first?.endpoint.operation,
            let segment = String(path.utf8.dropFirst(before.count).dropLast(after.count)),
            let value = operation.parameter?.value(of: segment)
        else { return nil }
        return Match(path: operation.path, parameter: value, routes: template.routes)
    }
}
