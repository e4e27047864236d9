import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird
import Logging

extension Endpoint {
    /// Forward-auth. `CheckFastPath` answers most checks before they reach this endpoint.
    static let check = Endpoint(
        private: Operation(
            .get, CheckParameters.path, "check", "Forward-auth: may the request that a proxy asks about go on?",
            details:
                "Any method is taken for GET. Method and target of the original request are required, from the headers below; `Cookie`, `Authorization`, `Origin`, `Upgrade`, `Sec-WebSocket-Key` and `Sec-Fetch-*` are those of the browser. Proxies that append the target ask `/auth/check;max_age=300;allow=200/TARGET`: parameters end at the next `/`, the target follows, and the method of the check itself counts.",
            tag: .privateListener, security: .session, headers: CheckEndpoint.headers, answers: CheckEndpoint.answers,
            denials: .session + .everyBrowser + [
                .insufficientUserAuthentication, .stepUpUnavailable, .insufficientClaims,
            ],
            takesAnyMethod: true),
        query: CheckParameters.descriptions
    ) { call in
        guard let parameters = try CheckParameters(call.request.head.path ?? "") else { throw Denial.notFound }
        return try await call.check.respond(to: call.request, parameters, from: call.peer)
    }
}

/// Answers the checks that need I/O, and all that are refused.
struct CheckEndpoint: Sendable {
    private let rules: CheckRules
    private let log: SampledLog

    init(_ rules: CheckRules, log: SampledLog) {
        self.rules = rules
        self.log = log
    }

    /// - Throws: `Denial`.
    func respond(
        to request: Request, _ parameters: CheckParameters, from peer: AdmittedPeer
    ) async throws -> Response {
        try await respond(to: read(request, parameters), from: peer)
    }

    /// - Throws: `Denial`.
    func respond(to check: CheckRequest, from peer: AdmittedPeer) async throws -> Response {
        do {
            if check.isAllowedPreflight(under: rules.originPolicy) { return preflight(check.parameters) }
            try check.checkOrigin(under: rules)
            let authorization = try await rules.authorizer.authorize(
                check.credentials(under: rules), demanding: check.parameters.demand)
            try check.parameters.check(authorization.access.claims)
            return try check.parameters.refuses ? askAgain(check) : allow(authorization, check, peer)
        } catch let denial as Denial {
            guard denial.isUnauthorized, let login = loginRedirect(for: check, after: denial) else { throw denial }
            return login
        }
    }

    private func read(_ request: Request, _ parameters: CheckParameters) throws(Denial) -> CheckRequest {
        do {
            return try CheckRequest(
                method: request.method.rawValue, authority: request.head.authority, parameters: parameters,
                headers: DecidingHeaders(request.headers))
        } catch {
            guard case .invalidRequest(let fields) = error else { throw error }
            let reasons = fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            log.warning("a proxy's check was refused", metadata: ["reason": "\(reasons.joined(separator: "; "))"])
            throw error
        }
    }

    private func allow(
        _ authorization: SessionAuthorizer.Authorization, _ check: CheckRequest, _ peer: AdmittedPeer
    ) -> Response {
        let agent = check.headers[.userAgent] ?? ""
        let setCookie = authorization.renewed.flatMap { rules.authorizer.cookie.setting($0, userAgent: agent) }
        return CheckAnswer(
            allowing: authorization.access, setCookie: setCookie, under: check.parameters, to: peer
        ).response
    }

    /// Allows a preflight, without identity: a preflight carries no credentials, and the request that follows it is
    /// checked by itself.
    private func preflight(_ parameters: CheckParameters) -> Response {
        Response(
            status: parameters.allowsWith200 ? .ok : .noContent,
            headers: [.known("X-Auth-Preflight"): "allowed", .cacheControl: "no-store"])
    }

    /// Answers a proxy that asks a second time to show a refusal, when the check now allows: a redirect makes the
    /// browser repeat its request. A renewal in this check is not handed out here, but in the response to the
    /// repeated request (`SessionAuthorizer.renewed`).
    private func askAgain(_ check: CheckRequest) throws(Denial) -> Response {
        guard OriginPolicy.isSafe(check.forwarded.method), SameOriginPath.isSafe(check.forwarded.target) else {
            throw .unavailable(retryAfter: .seconds(1))
        }
        return Response(
            status: .temporaryRedirect, headers: [.location: check.forwarded.target, .cacheControl: "no-store"])
    }

    /// The redirect of a browser navigation to the login page, with the target as return path; nil for every other
    /// client.
    private func loginRedirect(for check: CheckRequest, after denial: Denial) -> Response? {
        guard let page = check.parameters.loginPage, check.isNavigation else { return nil }
        let login = rules.originPolicy.loginPage(page, at: check.host)
        // Without this parameter, the login page would redirect a person with a session straight back, and the check
        // would redirect again.
        var stepUp = ""
        if case .insufficientUserAuthentication = denial { stepUp = "&step_up=1" }
        let target = check.forwarded.target
        let back = SameOriginPath.queryValue(SameOriginPath.isSafe(target) ? target : "/")
        return Response(
            status: .found,
            headers: [
                .location: "\(login)\(login.contains("?") ? "&" : "?")return_to=\(back)\(stepUp)",
                .cacheControl: "no-store",
            ])
    }
}

extension Denial {
    fileprivate var isUnauthorized: Bool { problem.response.status == .unauthorized }
}

extension CheckEndpoint {
    fileprivate static let headers: [Operation.HeaderParameter] = [
        (.xForwardedMethod, "Required, or `X-Original-Method`."),
        (.xForwardedProto, "`http`, `https`, `ws` or `wss`, in any case."),
        (.xForwardedHost, "The `Host` counts where it is absent."),
        (.xForwardedUri, "Path and query, at most 16 KiB; required, or `X-Original-URI`."),
        (.xOriginalMethod, "As nginx says it."), (.xOriginalURI, "As nginx says it."),
    ].map { (name: DecidingHeaders.Name, help) in .init(name: name.text, help: help) }

    fileprivate static let answers = [
        Answer(.ok, "Allowed, with `allow=200`.", headers: CheckAnswer.headers),
        Answer(.noContent, "Allowed.", headers: CheckAnswer.headers),
        Answer(
            .found, "To the login page, for a top-level navigation where `login` is given.",
            headers: [.location("A path on the same origin, with `return_to`.")]),
        Answer(
            .temporaryRedirect, "With `refuse`: the browser is to ask again.", headers: [.location("The target.")]),
    ]
}
