import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens

/// The decision about a request that needed I/O.
enum Judgement: Sendable {
    /// - `setCookie`: the renewed session cookie; nil without a renewal.
    case pass(VerifiedAccess?, setCookie: String?)
    case refused(Denial)
}

extension GatewayRules {
    /// Renews or looks up what `judge` could not decide.
    /// - Throws: a failure of the store.
    func authorize(
        _ credentials: RequestCredentials, for route: Route, userAgent: String
    ) async throws -> Judgement {
        do {
            let demand: StepUp? = if case .session(let demand) = route.access { demand } else { nil }
            let authorization = try await authorizer.authorize(credentials, demanding: demand)
            try route.check(authorization.access.claims)
            let setCookie = authorization.renewed.flatMap { authorizer.cookie.setting($0, userAgent: userAgent) }
            return .pass(authorization.access, setCookie: setCookie)
        } catch let denial as Denial {
            // A public route is served without the session.
            return route.access == .open ? .pass(nil, setCookie: nil) : .refused(denial)
        } catch  where route.access == .open {
            return .pass(nil, setCookie: nil)
        }
    }

    /// The answer to a refused request: for a navigation that lacks a session, the way to the login page.
    func answer(_ denial: Denial, to head: RequestHead, route: Route?) -> GatewayAnswer {
        if let route, route.login == .redirect, head.isNavigation, denial.isUnauthorized {
            let page = originPolicy.loginPage(loginPage, at: head.host)
            return GatewayAnswer(redirectingTo: page, from: head.target.text, isStepUp: denial.isStepUp)
        }
        var answer = GatewayAnswer(denial, to: head)
        if let origin = trustedOrigin(of: head) { answer.share(with: origin) }
        return answer
    }
}

extension Denial {
    fileprivate var isUnauthorized: Bool { problem.bytes.status == 401 }

    fileprivate var isStepUp: Bool {
        if case .insufficientUserAuthentication = self { true } else { false }
    }
}

extension LoggedRequest {
    init(_ head: RequestHead) {
        self.init(
            method: head.method, path: head.target.path, host: head.host ?? "", origin: head.first(.origin),
            secFetchSite: head.first(.secFetchSite), isPreflight: head.isPreflight, trace: head.trace)
    }
}
