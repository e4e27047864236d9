import CloakroomCore
import CloakroomWeb
import Hummingbird

/// The pages under `/auth/pages/`, for apps without pages of their own.
extension Endpoint {
    /// `GET /auth/pages/login?return_to=/path`
    static let loginPage = page("login", .loginPage)

    /// `GET /auth/pages/signup?return_to=/path`, where sign-up is open.
    static let signUpPage = page("signup", .signUpPage) { $0.isSignUpOpen }

    /// `GET /auth/pages/account`: password and sessions.
    static let accountPage = page("account", .accountPage)

    /// The scripts and the style sheet of the pages.
    static let pageParts: [Endpoint] = [
        resource("/auth/pages/style.css", .pageStyle), resource("/auth/pages/form.js", .formScript),
        resource("/auth/pages/sessions.js", .sessionsScript), resource("/auth/pages/login.js", .loginScript),
        resource("/auth/pages/signup.js", .signUpScript), resource("/auth/pages/account.js", .accountScript),
    ]

    private static func page(
        _ name: String, _ file: WebFile,
        isThere: @escaping @Sendable (AuthorizationServer.Configuration) -> Bool = { _ in true }
    ) -> Endpoint {
        let page = Page(file.bytes)
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

    /// The message for a form that was sent without script and refused: its redirect has the code of the denial.
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
}
