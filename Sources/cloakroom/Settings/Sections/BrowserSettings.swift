import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware

/// The session cookie, and the rights of other origins.
enum BrowserSettings: SettingsSection {
    static let title = "Cookie and origins"

    static let settings: [Setting] = [
        Setting(
            "cookieName", .cookieName, to: \.server.cookieName, example: "__Host-Http-shop",
            help: "Name of the session cookie.",
            note: "[Two apps on one host](cookies.md#several-apps-on-one-host) need two names."),
        Setting(
            "sameSite", .one(of: SessionCookie.SameSite.allCases), to: \.server.sameSite, example: "Strict",
            help: "`SameSite` attribute of the session cookie."),
        Setting(
            "trustedOrigins",
            ValueSyntax.originPattern.set(
                expected: """
                    origins such as `https://www.example.com`, `capacitor://localhost`, or \
                    `https://*.preview.example.com` for one label of a domain of your own; never `null`
                    """),
            to: \.server.trustedOrigins, example: "https://*.preview.example.com,https://www.example.com",
            help: "Origins of front ends on other hosts, whose pages may send requests with credentials.",
            note: "[A front end on another origin](front-end-elsewhere.md)."),
        Setting(
            "serviceWorkers", ValueSyntax.path.set(expected: "paths such as `/sw.js`, without query"),
            to: \.server.serviceWorkers, example: "/app/sw.js,/sw.js",
            help: "Paths of the app's own service workers. Requests for any other script as a worker are refused.",
            note: "[Why](cross-site-requests.md#service-workers)."),
        Setting(
            "xsrfCookie", .trueOrFalse, to: \.server.givesXSRFCookie, example: "true",
            help: "Give out the readable cookie `XSRF-TOKEN`, for browsers from before 2020.",
            note: "[Why](cross-site-requests.md#xsrf-token)."),
    ]
}
