/// Decides from request headers alone whether a request may change state. This is the whole defence against
/// cross-site request forgery, without tokens (OWASP CSRF cheat sheet, Fetch Metadata; `docs/cross-site-requests.md`).
package struct OriginPolicy: Hashable, Sendable {
    /// Our own origin; nil on loopback without a public URL, where the Host header decides.
    package let ownOrigin: WebOrigin?
    /// More origins of this server (setting `hosts`). Each is our own for requests to its own host alone. Empty without
    /// `ownOrigin`.
    package let hosts: Set<WebOrigin>
    /// Origins of front ends on other hosts that may send requests with credentials.
    package let trustedOrigins: Set<OriginPattern>
    /// The paths of the app's own service workers. The server refuses to serve any other path as a service worker.
    package let serviceWorkers: Set<String>

    /// - Parameters:
    ///   - ownOrigin: nil on loopback alone.
    ///   - serviceWorkers: paths without query, byte for byte.
    package init(
        ownOrigin: WebOrigin?, hosts: Set<WebOrigin> = [], trustedOrigins: Set<OriginPattern> = [],
        serviceWorkers: Set<String> = []
    ) {
        self.ownOrigin = ownOrigin
        self.hosts = hosts
        self.trustedOrigins = trustedOrigins
        self.serviceWorkers = serviceWorkers
    }

    /// The headers that the decision depends on. A header that the request carries more than once has every value here.
    package struct Request: Sendable {
        package var method: String
        package var isWebSocketUpgrade: Bool
        /// The path of a service worker script that the browser fetches; nil for every other request. The browser marks
        /// the request with the header `Service-Worker`, which no script can add or omit (W3C Service Workers, "Service
        /// worker script request").
        package var serviceWorkerPath: String?
        package var host: String?
        package var origin: [String]
        package var secFetchSite: [String]
        package var carriesOurCookie: Bool
        package var xsrf: XSRFEvidence
        /// Whether a service worker forwarded a navigation in a browser that then reports it as same-origin, also when
        /// another site started it.
        package var isLaunderedNavigation = false
        package var referer: String?

        package init(
            method: String, isWebSocketUpgrade: Bool = false, serviceWorkerPath: String? = nil, host: String?,
            origin: [String] = [],
            secFetchSite: [String] = [], carriesOurCookie: Bool, xsrf: XSRFEvidence = .absent
        ) {
            self.method = method
            self.isWebSocketUpgrade = isWebSocketUpgrade
            self.serviceWorkerPath = serviceWorkerPath
            self.host = host
            self.origin = origin
            self.secFetchSite = secFetchSite
            self.carriesOurCookie = carriesOurCookie
            self.xsrf = xsrf
        }
    }

    /// Whether the request carries the token that only our own pages can read, where the server issues such tokens.
    package enum XSRFEvidence: Hashable, Sendable {
        case absent, right, wrong
    }

    /// The origin under which this request reached us.
    /// - Throws: `Denial.misdirectedRequest` for a Host that is not ours: a foreign name that resolves to loopback is a
    ///   DNS-rebinding attack.
    package func origin(forHost host: String?) throws(Denial) -> WebOrigin {
        if let ownOrigin { return hosts.isEmpty ? ownOrigin : try origin(of: host, beside: ownOrigin) }
        guard let host, let origin = WebOrigin(scheme: "http", authority: host.lowercased().utf8[...]),
            origin.isLoopback
        else { throw .misdirectedRequest }
        return origin
    }

    /// With several hosts, `Host` says whose origin is our own, so it must be one of them.
    private func origin(of host: String?, beside login: WebOrigin) throws(Denial) -> WebOrigin {
        guard let host, let origin = WebOrigin(scheme: login.scheme, authority: host.lowercased().utf8[...]),
            origin == login || hosts.contains(origin)
        else { throw .misdirectedRequest }
        return origin
    }

    /// Whether a page of this origin may send requests with credentials, although the origin is not our own.
    /// - Parameter origin: the value of an `Origin` header.
    package func trusts(_ origin: String) -> Bool {
        trustedOrigins.contains { $0.matches(origin) }
    }

    /// Whether a request target in absolute form (RFC 9112 section 3.2.2) names our origin: its authority takes
    /// precedence over the Host header.
    package func isOurs(targetAuthority authority: String) -> Bool {
        (try? origin(forHost: authority))?.isReached(by: authority) ?? false
    }

    /// - Throws: `Denial.crossSiteRequest`, `Denial.serviceWorkerRefused` or `Denial.misdirectedRequest`.
    package func check(_ request: Request) throws(Denial) {
        let own = try origin(forHost: request.host)
        // An injected script that registers a file or JSONP response of ours as a service worker would stay for ever.
        if let path = request.serviceWorkerPath, !serviceWorkers.contains(path) { throw .serviceWorkerRefused }
        guard request.isWebSocketUpgrade || !Self.isSafe(request.method) else { return }
        guard request.origin.count <= 1, request.secFetchSite.count <= 1, request.xsrf != .wrong else {
            throw .crossSiteRequest
        }
        let sender = try sender(of: request, own: own)
        switch (request.secFetchSite.first, sender) {
        case ("same-origin", _) where request.isLaunderedNavigation:
            guard Self.isBelow(own, request.referer) else { throw .crossSiteRequest }
        case ("same-origin", _), ("none", _):
            return
        case (nil, .own), (_, .trusted):
            return
        case (nil, .unnamed):
            // Current browsers send `Origin` with every unsafe request. A request with our cookie and without `Origin`
            // comes from an unknown or old browser: it must carry the token that only our own pages can read.
            if request.carriesOurCookie, request.xsrf != .right { throw .crossSiteRequest }
        case (_, .own), (_, .unnamed):
            // A pass-through service worker of ours makes Firefox replace the `Origin` of a cross-site request.
            throw .crossSiteRequest
        }
    }

    /// Whether the method changes nothing (RFC 9110 section 9.2.1). False for TRACE, which the server never serves.
    package static func isSafe(_ method: String) -> Bool {
        method == "GET" || method == "HEAD" || method == "OPTIONS"
    }

    /// A script cannot forge the `Referer` of a request, it can only omit it.
    private static func isBelow(_ origin: WebOrigin, _ referer: String?) -> Bool {
        guard let referer else { return false }
        return referer == origin.description || referer.hasPrefix("\(origin.description)/")
    }

    private enum Sender {
        case own, trusted, unnamed
    }

    /// Refuses a foreign `Origin` with any other headers: with a pass-through service worker, WebKit sends
    /// `Sec-Fetch-Site: same-origin` with the attacker's `Origin`.
    private func sender(of request: Request, own: WebOrigin) throws(Denial) -> Sender {
        guard let value = request.origin.first else { return .unnamed }
        if value == own.description { return .own }
        if trusts(value) { return .trusted }
        throw .crossSiteRequest
    }
}
