import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird
import Logging

extension Endpoint {
    /// `GET /auth/check`: forward-auth. May the request that a proxy describes go on, and as whom?
    static let check = Endpoint(.get, "/auth/check", answersForOthers: true) { call in
        let forwarded = try call.forwardedRequest()
        do {
            try call.checkOrigin(of: forwarded)
            let authorization = try await call.server.authorizer.authorize(call.credentials)
            return call.allow(authorization, forwarded)
        } catch let denial as Denial {
            guard denial.problem.isUnauthorized, let login = try call.loginRedirect(for: forwarded) else {
                throw denial
            }
            return login
        }
    }
}

extension Call {
    fileprivate func forwardedRequest() throws -> ForwardedRequest? {
        guard let forwarded = try ForwardedRequest(request.headers) else { return nil }
        guard server.configuration.trustedProxies.contains(peer) else {
            server.logger.warning(
                "forwarded headers from a peer that is not listed under trustedProxies were refused",
                metadata: ["setting": "trustedProxies", "peer": "\(peer ?? "unknown")"])
            throw Denial.untrustedProxy
        }
        return forwarded
    }

    /// The origin rules for the request that is asked about. A proxy that does not pass the method on is not believed
    /// to mean GET where the browser named an origin, as it does with every unsafe request.
    fileprivate func checkOrigin(of forwarded: ForwardedRequest?) throws(Denial) {
        let isNamed = request.headers[.origin] != nil
        let method = forwarded?.method ?? (forwarded != nil && isNamed ? "POST" : "GET")
        try server.originPolicy.check(
            OriginPolicy.Request(
                request, method: method, path: forwarded?.path, host: forwarded?.host, cookie: cookie, xsrf: server.xsrf
            ))
    }

    fileprivate func allow(
        _ authorization: SessionAuthorizer.Authorization, _ forwarded: ForwardedRequest?
    ) -> Response {
        let access = authorization.access
        var response = Response(
            status: .noContent,
            headers: [
                .xAuthSubject: access.subject.rawValue, .xAuthSession: access.session.rawValue,
            ])
        if mayTellToken(forwarded) { response.headers[.authorization] = "Bearer \(text(access.token))" }
        if let renewed = authorization.renewed, let setCookie = cookie.setting(renewed, for: request.headers) {
            response.hand(over: setCookie)
            response.headers[.xAuthSetCookie] = setCookie
        }
        return response
    }

    /// Script in the page could fetch this very address and read the token from the answer. A browser's own fetch is
    /// told from a proxy's question by what script cannot leave out; a proxy says which request it asks about.
    private func mayTellToken(_ forwarded: ForwardedRequest?) -> Bool {
        if let forwarded, let uri = forwarded.uri { return !uri.hasPrefix("/auth/") }
        let mode = request.headers[.secFetchMode]
        return mode == nil || mode == "navigate"
    }

    /// For a person at a browser, the way to the login page and back; nil for everybody else.
    fileprivate func loginRedirect(for forwarded: ForwardedRequest?) throws(Denial) -> Response? {
        guard let login = request.uri.queryParameters["login"].map(String.init) else { return nil }
        guard SameOriginPath.isSafe(login) else {
            throw .invalidRequest(fields: ["login": "must be a path on this origin"])
        }
        guard isNavigation(forwarded) else { return nil }
        let target = forwarded?.uri ?? "/"
        let back = SameOriginPath.isSafe(target) ? target : "/"
        let location = "\(login)\(login.contains("?") ? "&" : "?")return_to=\(SameOriginPath.queryValue(back))"
        return Response(status: .found, headers: [.location: location])
    }

    private func isNavigation(_ forwarded: ForwardedRequest?) -> Bool {
        guard OriginPolicy.isSafe(forwarded?.method ?? "GET") else { return false }
        if let mode = request.headers[.secFetchMode] { return mode == "navigate" }
        return request.headers[.accept]?.containsASCII("text/html") == true
    }
}

extension ProblemAnswer {
    fileprivate var isUnauthorized: Bool { response.status == .unauthorized }
}

extension HTTPField.Name {
    fileprivate static let xAuthSubject = known("X-Auth-Subject")
    fileprivate static let xAuthSession = known("X-Auth-Session")
    fileprivate static let xAuthSetCookie = known("X-Auth-Set-Cookie")
}
