import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Logging

/// Everything that an operator can set, read and checked.
struct Settings: Sendable {
    var host: String
    var port: Int
    var dataDirectory: String
    var publicURL: WebOrigin?
    var databasePath: String
    var demo: Bool
    var policy: SessionPolicy
    var isSignUpOpen: Bool
    var trustedOrigins: [WebOrigin]
    var trustedProxies: TrustedProxies
    var issuer: String
    var audience: String
    var signingAlgorithm: SignatureAlgorithm
    var clients: [Client]
    var failedLoginsPerMinute: Int?
    var sameSite: SessionCookie.SameSite
    var logLevel: Logger.Level

    /// Reached over plain HTTP, on this machine alone.
    var isLoopbackDevelopment: Bool {
        publicURL.map { $0.isLoopback && $0.scheme == "http" } ?? true
    }

    /// The name of an issuer that has no public URL. The same at every start, whatever the port: tokens and cookies
    /// must survive a restart.
    private static let developmentIssuer = "http://localhost"

    init(_ sources: SettingsSources) throws(SettingsError) {
        typealias Parse = SettingsParse
        host = try sources.value(.host, default: "127.0.0.1", expected: "an address or host name", Parse.nonempty)
        port = try sources.value(.port, default: 8080, expected: "a port, 0 to 65535", Parse.port)
        let dataDirectory = try sources.value(
            .dataDir, default: "./cloakroom-data", expected: "a directory", Parse.nonempty)
        self.dataDirectory = dataDirectory
        publicURL = try sources.value(
            .publicURL, default: nil, expected: "an origin such as https://app.example.com", Parse.origin)
        databasePath = try sources.value(
            .store, default: "\(dataDirectory)/cloakroom.sqlite",
            expected: "sqlite:PATH (PostgreSQL is not part of this version)", Parse.store)
        let demo = try sources.value(.demo, default: false, expected: "true or false", Parse.bool)
        self.demo = demo
        policy = try Self.policy(sources)
        isSignUpOpen = try sources.value(.signup, default: demo, expected: "open or closed", Parse.signUp)
        trustedOrigins = try sources.value(
            .trustedOrigins, default: [], expected: "origins such as https://www.example.com, never null", Parse.origins)
        trustedProxies = try sources.value(
            .trustedProxies, default: .none, expected: "addresses or CIDR ranges such as 10.0.0.0/8", Parse.proxies)
        let issuer = try sources.value(
            .issuer, default: publicURL?.description ?? Self.developmentIssuer, expected: "1 to 128 printable characters",
            Parse.identifier)
        self.issuer = issuer
        audience = try sources.value(
            .audience, default: issuer, expected: "1 to 128 printable characters", Parse.identifier)
        signingAlgorithm = try sources.value(
            .signingAlgorithm, default: .es256, expected: "ES256, Ed25519 or RS256", Parse.algorithm)
        clients = try sources.value(
            .clients, default: [], expected: "id=cookie, id=hybrid or id=body, separated by commas", Parse.clients)
        failedLoginsPerMinute = try sources.value(
            .loginRateLimit, default: 20, expected: "failed tries per minute, or off", Parse.rateLimit)
        sameSite = try sources.value(.sameSite, default: .lax, expected: "Lax or Strict") { .init(rawValue: $0) }
        logLevel = try sources.value(
            .logLevel, default: .info, expected: "trace, debug, info, notice, warning, error or critical"
        ) { .init(rawValue: $0) }
        try checkReach(sources)
    }

    private static func policy(_ sources: SettingsSources) throws(SettingsError) -> SessionPolicy {
        func span(_ name: SettingName, _ fallback: Span, from least: Int64 = 1) throws(SettingsError) -> Span {
            let expected = "seconds, \(least == 0 ? "0 or more" : "more than 0") and at most 400 days, such as 2.5"
            return try sources.value(name, default: fallback, expected: expected) { text in
                SettingsParse.span(text).flatMap { $0.milliseconds >= least ? $0 : nil }
            }
        }
        let defaults = SessionPolicy()
        return SessionPolicy(
            accessTokenLifetime: try span(.accessTokenLifetime, defaults.accessTokenLifetime),
            stragglerWindow: try span(.stragglerWindow, defaults.stragglerWindow, from: 0),
            idleLifetime: try span(.idleLifetime, defaults.idleLifetime),
            absoluteLifetime: try span(.absoluteLifetime, defaults.absoluteLifetime))
    }

    /// Whoever can reach the server from outside must come over TLS and by the one name that it knows as its own.
    private func checkReach(_ sources: SettingsSources) throws(SettingsError) {
        if let publicURL, publicURL.scheme != "https", !publicURL.isLoopback {
            throw SettingsError(
                source: sources.place(.publicURL), key: nil, problem: "expected https, except on loopback")
        }
        let isLoopback = ["localhost", "127.0.0.1", "::1"].contains(host)
        guard isLoopback || publicURL != nil else {
            throw SettingsError(
                source: sources.place(.host), key: nil,
                problem: "binding to \(host) needs publicURL, the address that browsers use")
        }
    }
}
