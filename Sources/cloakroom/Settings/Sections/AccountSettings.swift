import CloakroomEndpoints

/// Sign-up, and the limits of logins and sign-ups.
enum AccountSettings: SettingsSection {
    static let title = "Accounts"

    static let settings: [Setting] = [
        Setting(
            "signup", .words("open", "closed"), to: \.server.isSignUpOpen,
            default: .computed("`closed`, or `open` with `demo`") { $0.server.isSignUpOpen = $0.process.isDemo },
            example: "open", help: "Whether visitors may create accounts."),
        Setting(
            "loginRateLimit", ValueSyntax.number(1...100_000).or("off"), to: \.server.failedLoginsPerMinute,
            example: "5", help: "Failed logins per minute, per account and per network.",
            risk: .init(warning: "`off` lets an attacker guess passwords without a limit.") {
                $0.server.failedLoginsPerMinute == nil
            }),
        Setting(
            "signupRateLimit", ValueSyntax.number(1...100_000).or("off"), to: \.server.signUpsPerHour, example: "100",
            help: "Sign-ups per hour and network."),
    ]
}
