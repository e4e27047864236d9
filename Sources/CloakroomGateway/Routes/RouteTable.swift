/// The gateway's rules in order; the first that matches decides.
package struct RouteTable: Sendable {
    package let routes: [Route]

    /// A rule that no request can reach.
    package struct Unreachable: Error, Hashable, Sendable, CustomStringConvertible {
        let index: Int
        let pattern: PathPattern

        /// Names the rule by its position, counted from 1.
        package var description: String {
            "rule \(index + 1) (\(pattern)) can never match: the rules before it, or Cloakroom's own endpoints, match everything that it does"
        }
    }

    /// - Throws: `Unreachable`, also for paths of our own endpoints. A rule behind one that covers it was meant to be in front: without an error, `/admin/*`
    ///   behind a public `/*` would be open.
    package init(_ routes: [Route]) throws(Unreachable) {
        for (index, route) in routes.enumerated() {
            if route.pattern.isOwn { throw Unreachable(index: index, pattern: route.pattern) }
            let covering = routes[..<index].filter { $0.pattern.covers(route.pattern) }
            if covering.contains(where: { $0.methods == nil }) {
                throw Unreachable(index: index, pattern: route.pattern)
            }
            guard let methods = route.methods else { continue }
            if methods.allSatisfy({ method in covering.contains { $0.takes(method) } }) {
                throw Unreachable(index: index, pattern: route.pattern)
            }
        }
        self.routes = routes
    }

    /// - Parameter path: a decoded canonical path.
    package func route(method: String, path: String) -> Route? {
        routes.first { $0.takes(method) && $0.pattern.matches(path) }
    }

    /// Whether a GET of this address needs no session.
    /// - Parameter target: path and query.
    package func isOpen(_ target: String) -> Bool {
        guard let path = try? RequestTarget(target).decodedPath else { return false }
        return OwnPaths.contain(path) || route(method: "GET", path: path)?.access == .open
    }
}
