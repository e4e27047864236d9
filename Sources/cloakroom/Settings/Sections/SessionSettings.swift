import CloakroomCore
import CloakroomEndpoints

/// The lifetimes of sessions, and their number.
enum SessionSettings: SettingsSection {
    static let title = "Sessions"

    static let settings: [Setting] = [
        Setting(
            "accessTokenLifetime", .lifetime, to: \.server.policy.accessTokenLifetime, example: "60.5",
            help: "Seconds that an access token is valid.", isRemembered: true),
        Setting(
            "idleLifetime", .lifetime, to: \.server.policy.idleLifetime, example: "86400",
            help: "Seconds without use after which a session ends.", isRemembered: true),
        Setting(
            "absoluteLifetime", .lifetime, to: \.server.policy.absoluteLifetime, example: "604800",
            help: "Seconds after login when a session ends, used or not.", isRemembered: true),
        Setting(
            "maxSessions", .number(1...10_000), to: \.server.maximumSessions, example: "5",
            help: "Most sessions of one account. A login beyond it ends the session that was unused for longest."),
        Setting(
            "insecureStaleRevocations", .delay, to: \.server.insecureStaleRevocations, example: "30",
            help: "Seconds that access tokens are accepted while the database is away, beyond the first one.",
            note: "Sessions that another instance has ended work here for that long ([why](postgresql.md)).",
            risk: .init(
                warning: """
                    `insecureStaleRevocations` accepts the access tokens of sessions that other instances have ended, \
                    while the database is away.
                    """
            ) { $0.server.insecureStaleRevocations > .zero }),
        Setting(
            "stragglerWindow", .delay, to: \.server.policy.stragglerWindow, example: "10",
            help: "Seconds that the previous refresh token is still served after the first use of the new one.",
            note: "Requests that were sent before the renewal arrive in this time ([why](refresh.md)).",
            risk: .init(
                warning: """
                    A `stragglerWindow` longer than `idleLifetime` accepts a stolen refresh token for as long as its \
                    session lives.
                    """
            ) { $0.server.policy.stragglerWindow > $0.server.policy.idleLifetime },
            isRemembered: true),
        Setting(
            "reissueDelay", .delay, to: \.server.policy.reissueDelay, example: "0.5",
            help: "Seconds after a renewal before a retry with the previous refresh token gets the new one again.",
            note: "A retry before that is served without it: the response with the new one is probably on its way.",
            isRemembered: true),
    ]
}
