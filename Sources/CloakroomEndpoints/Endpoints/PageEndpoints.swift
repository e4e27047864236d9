import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import CloakroomWeb
import Hummingbird

/// The pages under `/auth/pages/`, for apps without pages of their own.
extension Endpoint {
    /// The login page. At a host beside the login host it starts a hand-over, or shows that one was refused.
    static let loginPage: Endpoint = {
        let page = Page(WebFile.loginPage.bytes)
        let refusedPage = Page(WebFile.handOverPage.bytes)
        return Endpoint(
            Operation(
                .get, "/auth/pages/login", "loginPage", "The login page", tag: .pages,
                answers: [pageAnswer, elsewhere("To the login host, with the flow cookie of a hand-over.")]),
            reads: .query(.returnTo, .error, .flag("step_up", help: "With `1` the page asks for the password alone."))
        ) { call, fields in
            let (returnTo, error, isStepUp) = try await fields()
            if try call.hostBesideLogin() != nil, error != nil {
                return refusedPage.response(values(returnTo, error))
            }
            if let start = try call.startHandOver(to: returnTo, isStepUp: isStepUp) { return start }
            var values = values(returnTo, error)
            values["stepUp"] = isStepUp ? "true" : ""
            values["signUpHidden"] = call.server.configuration.isSignUpOpen ? "" : " hidden"
            return page.response(values)
        }
    }()

    /// The sign-up page; 404 where sign-up is closed.
    static let signUpPage: Endpoint = {
        let page = Page(WebFile.signUpPage.bytes)
        return Endpoint(
            Operation(
                .get, "/auth/pages/signup", "signUpPage", "The sign-up page", tag: .pages,
                answers: [pageAnswer, elsewhere("To the login host, as from the login page.")],
                denials: [.notFound]),
            reads: .query(.returnTo, .error)
        ) { call, fields in
            guard call.server.configuration.isSignUpOpen else { throw Denial.notFound }
            let (returnTo, error) = try await fields()
            if let start = try call.startHandOver(to: returnTo, isStepUp: false) { return start }
            return page.response(values(returnTo, error))
        }
    }()

    /// The account page, which changes the password and lists the sessions.
    static let accountPage: Endpoint = {
        let page = Page(WebFile.accountPage.bytes)
        return Endpoint(
            Operation(
                .get, "/auth/pages/account", "accountPage", "The account page: password and sessions", tag: .pages,
                answers: [pageAnswer, elsewhere("To the same page of the login host.")])
        ) { call in try call.redirectToLoginHost("/auth/pages/account") ?? page.response() }
    }()

    /// The styles and scripts of the pages.
    static let pagePart = Endpoint(
        Operation(
            .get, "/auth/pages/{part}", "pagePart", "The styles and scripts of the pages", tag: .pages,
            parameter: PathParameter(name: "part", values: pageParts.keys.sorted()),
            answers: Resource.answers("Style or script.", Set(pageParts.values.map(\.type)).sorted().map { .text($0) }))
    ) { call in
        guard let part = pageParts[call.parameter] else { throw Denial.notFound }
        return part.response(to: call.request)
    }

    private static let pageParts = [
        "style.css": Resource(.pageStyle),
        "form.js": Resource(.formScript),
        "sessions.js": Resource(.sessionsScript),
        "login.js": Resource(.loginScript),
        "signup.js": Resource(.signUpScript),
        "account.js": Resource(.accountScript),
    ]

    private static let pageAnswer = Answer(
        .ok, "A page, with a nonce for its scripts in `Content-Security-Policy`.", .text("text/html"))

    /// With the setting `hosts`, at a host beside the login host.
    private static func elsewhere(_ description: String) -> Answer {
        Answer(.found, description, headers: [.location("A URL of the login host."), .flowCookie])
    }

    /// The template values of the pages with a form.
    private static func values(_ returnTo: String?, _ error: String?) -> [String: String] {
        [
            "returnTo": returnTo ?? "/auth/pages/account",
            "returnQuery": returnTo.map { "?return_to=\(SameOriginPath.queryValue($0))" } ?? "",
            "message": message(of: error),
        ]
    }

    /// The message for the error code in the query, with which a failed plain form redirects to its page.
    private static func message(of code: String?) -> String {
        switch code {
        case nil: ""
        case "invalid_credentials": "The credentials are wrong."
        case "rate_limited": "Too many tries. Please wait a minute."
        case "subject_blocked": "This user is blocked."
        case "account_exists": "There is an account with this address."
        case "invalid_request": "Something that was entered cannot be taken. Please look at it again."
        default: "That did not work. Please try again."
        }
    }
}

extension Field where Value == String? {
    fileprivate static var error: Self {
        let description = FieldDescription(
            name: "error", schema: ["type": "string"],
            help: "The code with which a plain form was denied; the page says it in words.",
            example: "invalid_credentials")
        return Field(description) { values in values.first?.stringValue }
    }
}
