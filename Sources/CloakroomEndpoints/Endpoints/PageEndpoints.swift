import CloakroomCore
import Hummingbird

/// The pages under `/auth/pages/`, for apps that bring none of their own.
extension Endpoint {
    /// `GET /auth/pages/login?return_to=/path`
    static let loginPage = page("login", PackageResources.login_html)

    /// `GET /auth/pages/signup?return_to=/path`, where sign-up is open.
    static let signUpPage = page("signup", PackageResources.signup_html) { $0.isSignUpOpen }

    /// `GET /auth/pages/account`: password and sessions.
    static let accountPage = page("account", PackageResources.account_html)

    /// What the pages are made of.
    static let pageParts: [Endpoint] = [
        resource("/auth/pages/style.css", PackageResources.style_css, type: "text/css; charset=utf-8"),
        script("form.js", PackageResources.form_js), script("sessions.js", PackageResources.sessions_js),
        script("login.js", PackageResources.login_js), script("signup.js", PackageResources.signup_js),
        script("account.js", PackageResources.account_js),
    ]

    private static func page(
        _ name: String, _ html: [UInt8],
        isThere: @escaping @Sendable (AuthorizationServer.Configuration) -> Bool = { _ in true }
    ) -> Endpoint {
        let page = Page(html)
        return Endpoint(.get, "/auth/pages/\(name)") { call in
            guard isThere(call.server.configuration) else { throw Denial.notFound }
            let wanted = call.request.uri.queryParameters["return_to"].map(String.init)
            let returnTo = wanted.flatMap { SameOriginPath.isSafe($0) ? $0 : nil }
            return page.response([
                "returnTo": returnTo ?? "/auth/pages/account",
                "returnQuery": returnTo.map { "?return_to=\(SameOriginPath.queryValue($0))" } ?? "",
                "signUpHidden": call.server.configuration.isSignUpOpen ? "" : " hidden",
            ])
        }
    }

    private static func script(_ name: String, _ bytes: [UInt8]) -> Endpoint {
        resource("/auth/pages/\(name)", bytes, type: "text/javascript; charset=utf-8")
    }
}
