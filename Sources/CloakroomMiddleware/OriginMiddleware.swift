package import CloakroomCore
import HTTPTypes
package import Hummingbird

/// Refuses requests that another site caused, and requests for a foreign host. The rules are in `OriginPolicy`.
package struct OriginMiddleware<Context: RequestContext>: RouterMiddleware {
    private let policy: OriginPolicy
    private let cookie: SessionCookie
    private let xsrf: XSRFCookie?

    /// - Parameter cookie: the cookie by which the policy knows requests with a session.
    package init(_ policy: OriginPolicy, cookie: SessionCookie) {
        self.init(policy, cookie: cookie, xsrf: nil)
    }

    package init(_ policy: OriginPolicy, cookie: SessionCookie, xsrf: XSRFCookie?) {
        self.policy = policy
        self.cookie = cookie
        self.xsrf = xsrf
    }

    /// Throws a `Denial`, or calls `next`.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        _ = try request.ownOrigin(under: policy)
        if request.mayChangeSomething {
            try policy.check(OriginPolicy.Request(request, cookie: cookie, xsrf: xsrf))
        }
        return try await next(request, context)
    }
}

extension OriginPolicy.Request {
    package init(_ request: Request, cookie: SessionCookie, xsrf: XSRFCookie?) throws(Denial) {
        let headers = request.headers
        self.init(
            method: request.method.rawValue,
            isWebSocketUpgrade: headers[values: .upgrade].contains(where: OriginPolicy.namesWebSocket)
                || headers[.secWebSocketKey] != nil,
            serviceWorkerPath: headers[.serviceWorker] == nil ? nil : request.uri.path,
            host: try request.authority(),
            origin: headers[values: .origin],
            secFetchSite: headers[values: .secFetchSite],
            carriesOurCookie: !cookie.values(in: headers).isEmpty,
            xsrf: xsrf?.evidence(in: headers) ?? .absent)
        isLaunderedNavigation = headers.isLaunderedNavigation
        referer = headers[.referer]
    }
}

extension OriginPolicy {
    /// Whether an `Upgrade` header asks for a WebSocket (RFC 6455 section 4.2.1).
    package static func namesWebSocket(_ upgrade: String) -> Bool {
        upgrade.lowercased().split(separator: ",").contains { $0.drop { $0 == " " }.prefix(9) == "websocket" }
    }
}

extension HTTPFields {
    /// Whether a service worker forwarded a navigation. Only Firefox then sends this mode and our own origin; it keeps
    /// the headers that browsers add only to navigations.
    package var isLaunderedNavigation: Bool {
        self[.secFetchMode] == "same-origin" && self[.upgradeInsecureRequests] == "1"
    }
}

extension Request {
    /// Whether the policy must check more than the host.
    fileprivate var mayChangeSomething: Bool {
        !OriginPolicy.isSafe(method.rawValue) || headers[.upgrade] != nil
            || headers[.secWebSocketKey] != nil || headers[.serviceWorker] != nil
    }

    /// The host of the request. Requires exactly one Host header (RFC 9112 section 3.2): the framework accepts a
    /// request without one, and takes the first of several.
    package func authority() throws(Denial) -> String {
        let isRepeated = headers.contains { $0.name.canonicalName == "host" }
        guard let authority = head.authority, !authority.isEmpty, !isRepeated else {
            throw .invalidRequest(fields: ["Host": "must be there, once"])
        }
        return authority
    }

    /// The origin under which this request reached us.
    /// - Throws: `Denial.misdirectedRequest`, or `.invalidRequest` for a missing or repeated Host header.
    package func ownOrigin(under policy: OriginPolicy) throws(Denial) -> WebOrigin {
        try policy.origin(forHost: authority())
    }
}

extension HTTPField.Name {
    package static let secFetchSite = known("Sec-Fetch-Site")
    package static let secFetchMode = known("Sec-Fetch-Mode")
    package static let secFetchDest = known("Sec-Fetch-Dest")
    package static let serviceWorker = known("Service-Worker")
    package static let upgradeInsecureRequests = known("Upgrade-Insecure-Requests")
    package static let secWebSocketKey = known("Sec-WebSocket-Key")

    /// A header name that is a literal in this program.
    package static func known(_ name: String) -> Self {
        guard let name = Self(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
