package import CloakroomCore

/// One rule of the gateway: which requests it is for, what they need, and where they go. A class, because each request
/// passes its rule on several times, and a copy would count the references of all its parts.
package final class Route: Sendable {
    package enum Access: Hashable, Sendable {
        /// Passes without a session; a good one is passed on.
        case open
        /// Needs a session, and what the demand says besides.
        case session(StepUp?)
    }

    /// The answer to a browser navigation without a session.
    package enum Login: Hashable, Sendable {
        case redirect, unauthorized
    }

    package let pattern: PathPattern
    package let methods: Set<String>?
    package let access: Access
    package let claims: [String: String]
    package let login: Login
    package let upstream: UpstreamGroup
    package let rewrite: PathRewrite?
    package let keepsBearer: Bool
    package let keepsCookie: Bool
    package let limits: RouteLimits

    /// - Parameters:
    ///   - methods: in upper case; nil for every method.
    ///   - claims: what the session must have: the value itself, or a list that contains it.
    ///   - rewrite: the path that takes the place of the pattern's literal beginning; nil for none.
    ///   - keepsBearer: whether a bearer token that is not ours reaches the backend; ours then goes by `X-Auth-Token`.
    ///   - keepsCookie: whether a login of the app's own is here, which gets its session from the service API: the session
    ///     cookie reaches the backend, and one that we issued comes back.
    package init(
        _ pattern: PathPattern, methods: Set<String>? = nil, access: Access, claims: [String: String] = [:],
        login: Login = .redirect, upstream: UpstreamGroup, rewrite: PathRewrite? = nil, keepsBearer: Bool = false,
        keepsCookie: Bool = false, limits: RouteLimits = RouteLimits()
    ) {
        self.pattern = pattern
        self.methods = methods
        self.access = access
        self.claims = claims
        self.login = login
        self.upstream = upstream
        self.rewrite = rewrite
        self.keepsBearer = keepsBearer
        self.keepsCookie = keepsCookie
        self.limits = limits
    }

    /// - Throws: `Denial.insufficientClaims`.
    func check(_ claims: Claims) throws(Denial) {
        for (name, value) in self.claims { try ClaimDemand(name, value).check(claims) }
    }

    func takes(_ method: String) -> Bool {
        guard let methods else { return true }
        return methods.contains(method) || method == "HEAD" && methods.contains("GET")
    }
}

/// Replaces the beginning of a path.
package struct PathRewrite: Hashable, Sendable {
    let prefix: String
    let replacement: String

    /// - Parameters:
    ///   - prefix: such as `/api`; without a final slash.
    ///   - replacement: such as `/v2`, or empty.
    package init(prefix: String, replacement: String) {
        self.prefix = prefix
        self.replacement = replacement
    }

    /// - Parameter path: one that matches `prefix/*`. Its characters may be encoded in another way than those of the
    ///   prefix, so the segments are counted.
    func apply(to path: String) -> String {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let rest = segments.dropFirst(prefix.split(separator: "/").count + 1).joined(separator: "/")
        let isBare = segments.count <= prefix.split(separator: "/").count + 1
        return isBare ? (replacement.isEmpty ? "/" : replacement) : "\(replacement)/\(rest)"
    }
}

/// The time and size limits of a route.
package struct RouteLimits: Hashable, Sendable {
    /// From the request to the head of the response.
    package var response = Span.seconds(60)
    /// Without a byte in either direction.
    package var idle = Span.seconds(3600)
    /// In bytes; nil for any length.
    package var body: Int?

    package init() {}
}
