import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird
import Logging

/// `GET /auth/check` on the private listener: forward-auth.
struct CheckEndpoint: Sendable {
    let rules: CheckRules
    let log: SampledLog

    init(_ rules: CheckRules, log: SampledLog) {
        self.rules = rules
        self.log = log
    }

    /// - Throws: `Denial`.
    func respond(
        to request: Request, _ parameters: CheckParameters, from peer: AdmittedPeer
    ) async throws -> Response {
        let check = try read(request, parameters)
        do {
            if check.isAllowedPreflight(under: rules.originPolicy) { return preflight(parameters) }
            try check.checkOrigin(under: rules)
            let authorization = try await rules.authorizer.authorize(
                check.credentials(under: rules), demanding: parameters.demand)
            return try parameters.refuses ? askAgain(check) : allow(authorization, request, parameters, peer)
        } catch let denial as Denial {
            guard denial.isUnauthorized, let login = loginRedirect(for: check, after: denial) else { throw denial }
            return login
        }
    }

    private func read(_ request: Request, _ parameters: CheckParameters) throws(Denial) -> CheckRequest {
        do {
            return try CheckRequest(
                method: request.method.rawValue, authority: request.head.authority, parameters: parameters,
                headers: CheckHeaders(request.headers))
        } catch {
            guard case .invalidRequest(let fields) = error else { throw error }
            let reasons = fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            log.warning("a proxy's check was refused", metadata: ["reason": "\(reasons.joined(separator: "; "))"])
            throw error
        }
    }

    private func allow(
        _ authorization: SessionAuthorizer.Authorization, _ request: Request, _ parameters: CheckParameters,
        _ peer: AdmittedPeer
    ) -> Response {
        let setCookie = authorization.renewed.flatMap { rules.authorizer.cookie.setting($0, for: request.headers) }
        return CheckAnswer(
            allowing: authorization.access, setCookie: setCookie, under: parameters, to: peer
        ).response
    }

    /// Without identity: a preflight carries no credentials, and what follows is asked about by itself.
    private func preflight(_ parameters: CheckParameters) -> Response {
        Response(
            status: parameters.allowsWith200 ? .ok : .noContent,
            headers: [.known("X-Auth-Preflight"): "allowed", .cacheControl: "no-store"])
    }

    /// For a proxy that asks a second time to show a refusal, where the check now allows: the browser asks again too. A
    /// renewal on the way is not handed out here, but with the answer to that request (`SessionAuthorizer.renewed`).
    private func askAgain(_ check: CheckRequest) throws(Denial) -> Response {
        guard OriginPolicy.isSafe(check.forwarded.method), SameOriginPath.isSafe(check.forwarded.target) else {
            throw .unavailable(retryAfter: .seconds(1))
        }
        return Response(
            status: .temporaryRedirect, headers: [.location: check.forwarded.target, .cacheControl: "no-store"])
    }

    /// For a person at a browser, the way to the login page and back; nil for every other client.
    private func loginRedirect(for check: CheckRequest, after denial: Denial) -> Response? {
        guard let login = check.parameters.loginPage, check.isNavigation else { return nil }
        // Somebody who is logged in would be sent straight back, and here again.
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
