import Hummingbird

extension Endpoint {
    /// The URL to which password managers send a person (W3C change-password-url).
    static let changePassword = Endpoint(
        Operation(
            .get, "/.well-known/change-password", "changePasswordPage",
            "Redirects password managers to the account page",
            tag: .pages,
            answers: [Answer(.found, "To the account page.", headers: [.location("`/auth/pages/account`")])])
    ) { _ in Response(status: .found, headers: [.location: "/auth/pages/account"]) }
}
