public import CloakroomCore
import HTTPTypes
public import Hummingbird

/// Refuses requests that another site caused, and requests for a host that is not ours. Thin over `OriginPolicy`.
public struct OriginMiddleware<Context: RequestContext>: RouterMiddleware {
    private let policy: OriginPolicy
    private let cookie: SessionCookie
    private let xsrf: XSRFCookie?

    /// - Parameter cookie: tells requests that carry a session from those that do not.
    public init(_ policy: OriginPolicy, cookie: SessionCookie) {
        self.init(policy, cookie: cookie, xsrf: nil)
    }

    package init(_ policy: OriginPolicy, cookie: SessionCookie, xsrf: XSRFCookie?) {
        self.policy = policy
        self.cookie = cookie
        self.xsrf = xsrf
    }

    /// Refuses, or passes on.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        try request.checkHost()
        if request.mayChangeSomething {
            try policy.check(OriginPolicy.Request(request, cookie: cookie, xsrf: xsrf))
        } else {
            _ = try policy.origin(forHost: request.head.authority)
        }
        return try await next(request, context)
    }
}

extension OriginPolicy.Request {
    /// - Parameters:
    ///   - method: the request's own, or the one that a proxy asks about.
    ///   - path: likewise, without query.
    package init(
        _ request: Request, method: String? = nil, path: String? = nil, host: String? = nil, cookie: SessionCookie,
        xsrf: XSRFCookie?
    ) {
        self.init(
            method: method ?? request.method.rawValue,
            isWebSocketUpgrade: request.headers[.upgrade]?.lowercased() == "websocket",
            serviceWorkerPath: request.headers[.serviceWorker] == nil ? nil : path ?? request.uri.path,
            host: host ?? request.head.authority,
            origin: request.headers[values: .origin],
            secFetchSite: request.headers[values: .secFetchSite],
            carriesOurCookie: !cookie.values(in: request.headers).isEmpty,
            xsrf: xsrf?.evidence(in: request.headers) ?? .absent)
        isLaunderedNavigation = request.headers.isLaunderedNavigation
        referer = request.headers[.referer]
    }
}

extension HTTPFields {
    /// Firefox, alone, gives a navigation that a service worker passes on this mode and our own origin; what the browser
    /// adds to navigations only, it has kept.
    fileprivate var isLaunderedNavigation: Bool {
        self[.secFetchMode] == "same-origin" && self[.upgradeInsecureRequests] == "1"
    }
}

extension Request {
    /// Whether the policy looks at more than the host.
    fileprivate var mayChangeSomething: Bool {
        !OriginPolicy.isSafe(method.rawValue) || headers[.upgrade] != nil || headers[.serviceWorker] != nil
    }

    /// One Host, as RFC 9112 section 3.2 demands: the framework takes the first of several and does without.
    package func checkHost() throws(Denial) {
        let isRepeated = headers.contains { $0.name.canonicalName == "host" }
        guard let authority = head.authority, !authority.isEmpty, !isRepeated else {
            throw .invalidRequest(fields: ["Host": "must be there, once"])
        }
    }
}

extension HTTPField.Name {
    package static let secFetchSite = known("Sec-Fetch-Site")
    package static let secFetchMode = known("Sec-Fetch-Mode")
    package static let serviceWorker = known("Service-Worker")
    package static let upgradeInsecureRequests = known("Upgrade-Insecure-Requests")
    package static let secFetchDest = known("Sec-Fetch-Dest")

    /// A name that is written out in this program.
    package static func known(_ name: String) -> Self {
        guard let name = Self(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
