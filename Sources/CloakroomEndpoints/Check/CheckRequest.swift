import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens

/// One check: a proxy asks whether the request that it describes may proceed, and with which session.
struct CheckRequest: Sendable {
    let parameters: CheckParameters
    let forwarded: ForwardedRequest
    let headers: DecidingHeaders
    /// The host that the browser requested.
    let host: String?

    /// - Parameters:
    ///   - method: the method of the check itself; it counts when the proxy appends the target.
    ///   - authority: the authority of the check itself.
    /// - Throws: `Denial.invalidRequest`.
    init(
        method: String, authority: String?, parameters: CheckParameters, headers: DecidingHeaders
    ) throws(Denial) {
        self.parameters = parameters
        self.headers = headers
        if let target = parameters.appendedTarget {
            forwarded = try ForwardedRequest(method: method, target: target, headers)
        } else {
            forwarded = try ForwardedRequest(headers)
        }
        host = forwarded.host ?? authority
    }

    /// Whether the request is a CORS preflight from a trusted origin. It carries no credentials.
    func isAllowedPreflight(under policy: OriginPolicy) -> Bool {
        guard forwarded.method == "OPTIONS", headers[.accessControlRequestMethod] != nil,
            headers.values(.origin).count == 1, let origin = headers[.origin]
        else { return false }
        return policy.trusts(origin)
    }

    /// - Throws: `Denial.crossSiteRequest`, `.serviceWorkerRefused` or `.misdirectedRequest`.
    func checkOrigin(under server: CheckRules) throws(Denial) {
        var request = OriginPolicy.Request(
            method: forwarded.method, isWebSocketUpgrade: isWebSocketUpgrade,
            serviceWorkerPath: headers[.serviceWorker] == nil ? nil : forwarded.path, host: host,
            origin: headers.values(.origin), secFetchSite: headers.values(.secFetchSite), carriesOurCookie: false)
        if request.mayChangeSomething {
            request.read(headers, cookies: cookies(named: server.authorizer.cookie), server.xsrf)
        }
        try server.originPolicy.check(request)
    }

    /// A proxy drops `Upgrade` as hop-by-hop; the key is the browser's own, and no script can set it.
    private var isWebSocketUpgrade: Bool {
        headers[.secWebSocketKey] != nil || headers.values(.upgrade).contains(where: OriginPolicy.namesWebSocket)
    }

    func credentials(under server: CheckRules) -> RequestCredentials {
        RequestCredentials(
            cookies: cookies(named: server.authorizer.cookie), authorization: headers.values(.authorization),
            to: server.originPolicy.sessionHost(forHost: host), verifier: server.authorizer.verifier,
            at: server.authorizer.now())
    }

    private func cookies(named cookie: SessionCookie) -> [[UInt8]] {
        headers.cookies(named: cookie)
    }

    /// Whether the request is a browser navigation, which can be redirected to a login page.
    var isNavigation: Bool {
        guard OriginPolicy.isSafe(forwarded.method) else { return false }
        if let mode = headers[.secFetchMode] { return mode == "navigate" }
        return headers[.accept]?.containsASCII("text/html") == true
    }
}

/// The rules that decide a check.
package struct CheckRules: Sendable {
    let authorizer: SessionAuthorizer
    let originPolicy: OriginPolicy
    let xsrf: XSRFCookie?
}

extension OriginPolicy.Request {
    /// Whether the policy checks more than the host.
    fileprivate var mayChangeSomething: Bool {
        isWebSocketUpgrade || serviceWorkerPath != nil || !OriginPolicy.isSafe(method)
    }
}
