import HTTPTypes
import Hummingbird

/// Finds the endpoints of a path on one listener, by the exact bytes of the path: its meaning must not depend on the
/// normalisation of a server or proxy.
struct EndpointTable<Asked>: Sendable {
    typealias Respond = @Sendable (Asked) async throws -> Response

    typealias Route = (endpoint: Endpoint, respond: Respond)
    private let exact: [String: [Route]]
    /// The routes with a parameter, by the path before it.
    private let parametric: [String: [Route]]

    /// - Parameter respond: returns the listener's function for an endpoint; nil if the listener does not have it.
    init(_ endpoints: [Endpoint], _ respond: (Endpoint) -> Respond?) {
        let routes = endpoints.compactMap { endpoint in respond(endpoint).map { (endpoint, $0) } }
        exact = Dictionary(grouping: routes.filter { $0.0.operation.parameter == nil }, by: \.0.operation.path)
        parametric = Dictionary(grouping: routes.filter { $0.0.operation.parameter != nil }) { route in
            let operation = route.0.operation
            return String(operation.path.dropLast(operation.parameter?.placeholder.count ?? 0))
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
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let parameter = String(path[path.utf8.index(after: slash)...])
        guard let routes = parametric[String(path[...slash])], let first = routes.first,
            first.endpoint.operation.parameter?.accepts(parameter) == true
        else { return nil }
        return Match(path: first.endpoint.operation.path, parameter: parameter, routes: routes)
    }
}
