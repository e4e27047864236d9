import CloakroomEndpoints
import CloakroomGateway
import CloakroomMiddleware

/// The backend behind the gateway, and what it asks of a request.
struct GatewaySettings: SettingsSection, Sendable {
    /// Empty for no gateway, or where each route names its own.
    var upstream: [UpstreamAddress] = []
    /// The rules as YAML; nil for one that demands a session on every path.
    var routes: String?

    static let title = "Gateway"

    static let settings: [Setting] = [
        Setting(
            "upstream",
            ValueSyntax.upstream.list(expected: "addresses such as `http://127.0.0.1:3000` or `unix:/run/app.sock`"),
            to: \.gateway.upstream, example: "http://127.0.0.1:3000",
            help: """
                The backend. It gets every request that has a session, with an access token. Several share the requests, \
                and stand in for each other.
                """,
            note: "Without `routes`, every path demands a session ([the gateway](gateway.md))."),
        Setting(
            "routes", ValueSyntax.routes.optional(), to: \.gateway.routes,
            example: #"[{path: /*, access: public, upstream: "http://127.0.0.1:3000"}]"#,
            help: "Rules of the gateway, in YAML: which paths demand what. The first that matches decides.",
            note: "[The rules](gateway.md#say-which-paths-need-a-session).", readYAML: RouteRules.text),
        Setting(
            "loginPage", ValueSyntax.loginPage, to: \.server.loginPage, example: "/login",
            help: "Path of the login page to which the gateway redirects navigations without a session.",
            note: """
                It gets the path that was asked for as `return_to`, and `step_up=1` if there is a session that has to log \
                in again. An app that [keeps its own login](own-login.md) sets it. With `hosts` it is at the host of `publicURL`.
                """),
    ]
}

extension ValueSyntax where Value == UpstreamAddress {
    fileprivate static var upstream: Self {
        .init(
            placeholder: "url", expected: "an address such as `http://127.0.0.1:3000`, without a path",
            parse: { UpstreamAddress(parsing: $0) }, write: \.description)
    }
}

extension ValueSyntax where Value == String {
    fileprivate static var loginPage: Self {
        .init(
            placeholder: "path", expected: "a path such as `/login`",
            parse: { SameOriginPath.isSafe($0) ? $0 : nil }, write: { $0 })
    }

    /// The rules as text; `RouteRules` reads them, once the other settings are known.
    fileprivate static var routes: Self {
        .init(
            placeholder: "yaml", expected: "a list of rules, each with a `path` and its `access`",
            parse: { $0.contains("path") ? $0 : nil }, write: { $0 })
    }
}
