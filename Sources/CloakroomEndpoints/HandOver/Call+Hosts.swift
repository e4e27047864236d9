import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// With the setting `hosts`: the host of a request, and the way to the login host.
extension Call {
    private var policy: OriginPolicy { server.originPolicy }

    /// The origin of the host, if it is not the login host; nil without the setting.
    func hostBesideLogin() throws(Denial) -> WebOrigin? {
        guard !policy.hosts.isEmpty else { return nil }
        let own = try request.ownOrigin(under: policy)
        return own == policy.ownOrigin ? nil : own
    }

    /// - Throws: `Denial.loginHostOnly`: script of one host must not see passwords that are good for all.
    func requireLoginHost() throws(Denial) {
        guard try hostBesideLogin() == nil else { throw .loginHostOnly }
    }

    /// The redirect to a path of the login host; nil at the login host itself.
    func redirectToLoginHost(_ path: String) throws(Denial) -> Response? {
        guard try hostBesideLogin() != nil, let login = policy.ownOrigin else { return nil }
        return .redirect(.found, to: "\(login)\(path)")
    }

    /// Starts a hand-over: the redirect to the login host with the flow cookie; nil at the login host itself.
    ///
    /// A flow cookie that the browser has already is kept, so that the hand-overs of several tabs all succeed.
    func startHandOver(to returnTo: String?, isStepUp: Bool) throws(Denial) -> Response? {
        guard let host = try hostBesideLogin(), let login = policy.ownOrigin else { return nil }
        let flow = flowCookie.secret(in: request.headers) ?? FlowCookie.secret(sessions.environment.random)
        let state = HandOverState(
            from: host, flow: flow, startedAt: sessions.now, returnTo: returnTo, isStepUp: isStepUp)
        var response = Response.redirect(.found, to: "\(login)\(Endpoint.handOverPath)?state=\(state.text)")
        response.hand(over: flowCookie.setting(flow, for: request.headers))
        return response
    }

    var flowCookie: FlowCookie { FlowCookie(of: cookie) }

    /// - Throws: `Denial.crossSiteRequest` for a frame or a `fetch`: only a person who opens a page may cause a hand-over.
    func requireTopLevelNavigation() throws(Denial) {
        let headers = request.headers
        guard !headers.isLaunderedNavigation, let mode = headers[.secFetchMode] else { return }
        guard mode == "navigate", headers[.secFetchDest] ?? "document" == "document" else { throw .crossSiteRequest }
    }
}

extension Response {
    /// A redirect that no cache keeps, and that names no page in the `Referer` of the next request.
    static func redirect(_ status: HTTPResponse.Status, to location: String) -> Response {
        Response(
            status: status,
            headers: [.location: location, .cacheControl: "no-store", .known("Referrer-Policy"): "no-referrer"])
    }
}
