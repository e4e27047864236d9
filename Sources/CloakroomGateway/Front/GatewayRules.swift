package import CloakroomCore
package import CloakroomMiddleware
import CloakroomTokens
import NIOCore

/// What the gateway decides with: routes, the origin policy and the authorizer.
package struct GatewayRules: Sendable {
    package var routes: RouteTable
    package var authorizer: SessionAuthorizer
    package var originPolicy: OriginPolicy
    package var xsrf: XSRFCookie?
    package var trustedProxies: TrustedProxies
    /// The login page for navigations without a session.
    package var loginPage: String

    package init(
        routes: RouteTable, authorizer: SessionAuthorizer, originPolicy: OriginPolicy, xsrf: XSRFCookie?,
        trustedProxies: TrustedProxies, loginPage: String
    ) {
        self.loginPage = loginPage
        self.routes = routes
        self.authorizer = authorizer
        self.originPolicy = originPolicy
        self.xsrf = xsrf
        self.trustedProxies = trustedProxies
    }
}

/// The decision about a request, as far as it is possible without I/O.
enum Verdict: Sendable {
    /// One of our own endpoints answers.
    case own
    case pass(Route, VerifiedAccess?)
    /// A renewal or a look-up has to decide.
    case authorize(Route, RequestCredentials)
    /// - `route`: nil when none matched.
    case refused(Denial, Route?)
}

extension GatewayRules {
    func judge(_ head: RequestHead) -> Verdict {
        if OwnPaths.contain(head.target.decodedPath) { return .own }
        guard isOurs(head.host) else { return .refused(.misdirectedRequest, nil) }
        // A preflight carries no credentials. The rule of the request that follows it decides, which is judged by itself.
        let isPreflight = isTrustedPreflight(head)
        let method = isPreflight ? head.first(.accessControlRequestMethod) ?? head.method : head.method
        guard let route = routes.route(method: method, path: head.target.decodedPath) else {
            return .refused(.notFound, nil)
        }
        if isPreflight { return .pass(route, nil) }
        do {
            try checkOrigin(head)
        } catch {
            return .refused(error, route)
        }
        return judge(head, route)
    }

    private func judge(_ head: RequestHead, _ route: Route) -> Verdict {
        let credentials = credentials(of: head)
        let hasNone = credentials.cookie == nil && credentials.bearer == nil
        switch route.access {
        case .open:
            if hasNone { return .pass(route, nil) }
            if let access = authorizer.authorizeAtOnce(credentials, demanding: nil) { return .pass(route, access) }
        case .session(let demand):
            if hasNone { return .refused(.sessionMissing, route) }
            if let access = authorizer.authorizeAtOnce(credentials, demanding: demand) {
                return admit(access, to: route)
            }
        }
        return .authorize(route, credentials)
    }

    /// Checks what a route demands besides the session.
    func admit(_ access: VerifiedAccess, to route: Route) -> Verdict {
        do { try route.check(access.claims) } catch { return .refused(error, route) }
        return .pass(route, access)
    }

    /// The host counts with its port, as in a browser's origin.
    private func isOurs(_ host: String?) -> Bool {
        guard let host else { return false }
        return originPolicy.isOurs(targetAuthority: host)
    }

    private func isTrustedPreflight(_ head: RequestHead) -> Bool {
        head.isPreflight && trustedOrigin(of: head) != nil
    }

    /// The origin of the page that sent the request, if it is another one that is trusted.
    func trustedOrigin(of head: RequestHead) -> String? {
        guard !originPolicy.trustedOrigins.isEmpty, head.values(.origin).count == 1, let origin = head.first(.origin),
            originPolicy.trusts(origin)
        else { return nil }
        return origin
    }

    private func checkOrigin(_ head: RequestHead) throws(Denial) {
        let isWebSocket = head.asksForWebSocket || head.contains(.secWebSocketKey)
        let isWorker = head.contains(.serviceWorker)
        guard isWebSocket || isWorker || !OriginPolicy.isSafe(head.method) else { return }
        let cookies = cookies(of: head)
        var request = OriginPolicy.Request(
            method: head.method, isWebSocketUpgrade: isWebSocket,
            serviceWorkerPath: isWorker ? head.target.path : nil, host: head.host, origin: head.values(.origin),
            secFetchSite: head.values(.secFetchSite), carriesOurCookie: !cookies.isEmpty,
            xsrf: xsrf?.evidence(values: head.values(.xsrfToken), cookies: cookies) ?? .absent)
        request.isLaunderedNavigation =
            head.first(.secFetchMode) == "same-origin" && head.first(.upgradeInsecureRequests) == "1"
        request.referer = head.first(.referer)
        try originPolicy.check(request)
    }

    func credentials(of head: RequestHead) -> RequestCredentials {
        RequestCredentials(
            cookies: cookies(of: head), authorization: head.values(.authorization),
            to: originPolicy.sessionHost(forHost: head.host), verifier: authorizer.verifier, at: authorizer.now())
    }

    /// Whether `Authorization` has a token that claims to be ours, valid or not, in any spelling: a backend may parse
    /// `Bearer<TAB>token` or `Basic x, Bearer token`, and must not get the token of another host.
    func hasOwnBearer(_ head: RequestHead) -> Bool {
        head.values(.authorization).contains { value in
            value.utf8.split { !Self.isTokenByte($0) }.contains { authorizer.verifier.isOurs(bearer: Array($0)) }
        }
    }

    /// Whether the byte can be part of a compact JWS.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// A backend's `Set-Cookie` of the session cookie as the browser gets it; nil unless it carries tokens that we
    /// issued, or ends the cookie. A value that an attacker made the backend write does not replace the user's session,
    /// unless it is one of the attacker's own.
    func relayed(_ setCookie: UnsafeRawBufferPointer, inResponseTo head: RequestHead) -> String? {
        let parts = setCookie.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard let pair = parts.first, let separator = pair.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let value = Array(UnsafeRawBufferPointer(rebasing: pair[(separator + 1)...]).trimmed)
        guard value.isEmpty || isIssued(value, forHostOf: head) else { return nil }
        let age = value.isEmpty ? 0 : Self.maximumAge(parts.dropFirst())
        return authorizer.cookie.relaying(
            String(decoding: value, as: UTF8.self), maximumAge: age, userAgent: head.first(.userAgent) ?? "")
    }

    private func isIssued(_ value: [UInt8], forHostOf head: RequestHead) -> Bool {
        guard let checked = try? authorizer.verifier.verify(cookie: value, at: authorizer.now()) else { return false }
        return checked.access.map { $0.host == originPolicy.sessionHost(forHost: head.host) } ?? true
    }

    private static func maximumAge(_ attributes: some Sequence<Slice<UnsafeRawBufferPointer>>) -> Int? {
        let name: StaticString = "max-age="
        for attribute in attributes.map({ UnsafeRawBufferPointer(rebasing: $0).trimmed }) {
            let count = name.utf8CodeUnitCount
            guard attribute.count > count,
                UnsafeRawBufferPointer(rebasing: attribute[..<count]).equalsIgnoringCase(name)
            else { continue }
            return Int(String(decoding: attribute[count...], as: UTF8.self))
        }
        return nil
    }

    private func cookies(of head: RequestHead) -> [[UInt8]] {
        let agent = authorizer.cookie.isLoopbackDevelopment ? head.first(.userAgent) ?? "" : ""
        return head.bytes.withUnsafeReadableBytes { bytes in
            head.lines.filter { $0.kind == .cookie }.flatMap { line in
                authorizer.cookie.values(in: UnsafeRawBufferPointer(rebasing: bytes[line.value]), userAgent: agent)
            }
        }
    }
}

extension RequestHead {
    /// Whether the request is a CORS preflight (Fetch standard, section 3.3).
    var isPreflight: Bool {
        method == "OPTIONS" && contains(.accessControlRequestMethod)
    }

    /// Whether the request is a browser navigation, to which a page or a redirect can be the answer.
    var isNavigation: Bool {
        guard OriginPolicy.isSafe(method) else { return false }
        if let mode = first(.secFetchMode) { return mode == "navigate" }
        return first(.accept)?.contains("text/html") == true
    }
}
