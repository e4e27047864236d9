import CloakroomCore

/// Which rule decides about a request, for an operator who asks.
package enum RouteCheck: Sendable {
    /// The path is one of our own endpoints.
    case own(path: String)
    /// - `index`: of the rule, counted from 1.
    case route(index: Int, Route)
    case none(path: String)
    case refused(reason: String)

    /// - Parameter target: path and query, as a client sends them.
    package init(_ table: RouteTable, method: String, target: String) {
        do throws(RequestFault) {
            let path = try RequestTarget(target).decodedPath
            if OwnPaths.contain(path) {
                self = .own(path: path)
            } else if let index = table.routes.firstIndex(where: { $0.takes(method) && $0.pattern.matches(path) }) {
                self = .route(index: index + 1, table.routes[index])
            } else {
                self = .none(path: path)
            }
        } catch {
            self = .refused(reason: error.reason)
        }
    }
}

extension RequestFault {
    fileprivate var reason: String {
        switch self {
        case .malformed(let reason): reason
        case .headTooLarge, .targetTooLong, .versionNotSupported, .notImplemented, .expectationFailed, .misdirected:
            denial.code
        }
    }
}
