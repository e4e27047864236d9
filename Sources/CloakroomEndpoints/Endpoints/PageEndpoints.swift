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
                "stepUp": call.request.uri.queryParameters["step_up"] == "1" ? "true" : "",
                "message": message(of: call.request.uri.queryParameters["error"].map(String.init)),
                "signUpHidden": call.server.configuration.isSignUpOpen ? "" : " hidden",
            ])
        }
    }

    /// What a form that was sent without script went wrong with, from the code that its redirect carries.
    private static func message(of code: String?) -> String {
        switch code {
        case nil: ""
        case "invalid_credentials": "The credentials are wrong."
        case "rate_limited": "Too many tries. Please wait a minute."
        case "account_exists": "There is an account with this address."
        case "invalid_request": "Something that was entered cannot be taken. Please look at it again."
        default: "That did not work. Please try again."
        }
    }

    private static func script(_ name: String, _ bytes: [UInt8]) -> Endpoint {
        resource("/auth/pages/\(name)", bytes, type: "text/javascript; charset=utf-8")
    }
}
