import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import Logging

/// Everything that an operator can set, read and checked.
struct Settings: Sendable {
    var host: String
    var port: Int
    /// nil for no private listener.
    var privateListener: PrivateListener?
    var requestTimeout: Span
    /// On each listener; nil for as many as there are descriptors for.
    var maximumConnections: Int?
    var dataDirectory: String
    var databasePath: String
    var isDemo: Bool
    var logLevel: Logger.Level
    var writesCoreDumps: Bool
    /// For the commands that look after the data.
    let remembered: [SettingName: String]
    var server: AuthorizationServer.Configuration

    /// Reached over plain HTTP, on this machine alone.
    var isLoopbackDevelopment: Bool {
        server.publicURL.map { $0.isLoopback && $0.scheme == "http" } ?? true
    }

    init(_ sources: SettingsSources) throws(SettingsError) {
        typealias Parse = SettingsParse
        host = try sources.value(.host, default: "127.0.0.1", expected: "an address or host name", Parse.nonempty)
        port = try sources.value(.port, default: 8080, expected: "a port, 0 to 65535", Parse.port)
        dataDirectory = try sources.value(
            .dataDir, default: "./cloakroom-data", expected: "a directory", Parse.nonempty)
        databasePath = try sources.value(
            .store, default: "\(dataDirectory)/cloakroom.sqlite",
            expected: "sqlite:PATH (PostgreSQL is not part of this version)", Parse.store)
        privateListener = try Self.privateListener(sources)
        requestTimeout = try sources.value(
            .requestTimeout, default: .seconds(30), expected: "seconds, 0.1 to 3600"
        ) { text in Parse.span(text).flatMap { 100...3_600_000 ~= $0.milliseconds ? $0 : nil } }
        maximumConnections = try sources.value(
            .maxConnections, default: nil, expected: "a number from 1 to 1000000", Parse.count)
        isDemo = try sources.value(.demo, default: false, expected: "true or false", Parse.bool)
        logLevel = try sources.value(
            .logLevel, default: .info, expected: "trace, debug, info, notice, warning, error or critical"
        ) { .init(rawValue: $0) }
        writesCoreDumps = try sources.value(.coreDumps, default: false, expected: "true or false", Parse.bool)
        server = try Self.server(sources, isDemo: isDemo)
        var remembered = sources.values(of: SettingsMemory.names)
        if remembered[.store] != nil { remembered[.store] = "sqlite:\(databasePath.absolutePath)" }
        self.remembered = remembered
        try checkReach(sources)
    }

    private static func privateListener(_ sources: SettingsSources) throws(SettingsError) -> PrivateListener? {
        let address = try sources.value(
            .privateListen, default: nil, expected: "off, HOST:PORT such as 127.0.0.1:8081, or unix:PATH",
            PrivateListener.Address.parse)
        let group = try sources.value(
            .privateSocketGroup, default: nil, expected: "a group", { $0.isEmpty ? nil : .some($0) })
        return address.map { PrivateListener(address: $0, socketGroup: group) }
    }

    private static func server(
        _ sources: SettingsSources, isDemo: Bool
    ) throws(SettingsError) -> AuthorizationServer.Configuration {
        typealias Parse = SettingsParse
        var server = AuthorizationServer.Configuration(
            publicURL: try sources.value(
                .publicURL, default: nil, expected: "an origin such as https://app.example.com", Parse.origin))
        server.issuer = try sources.value(
            .issuer, default: server.issuer, expected: "1 to 128 printable characters", Parse.identifier)
        server.audience = try sources.value(
            .audience, default: server.issuer, expected: "1 to 128 printable characters", Parse.identifier)
        server.policy = try policy(sources)
        server.signingAlgorithm = try sources.value(
            .signingAlgorithm, default: nil, expected: "ES256, Ed25519 or RS256"
        ) { Parse.algorithm($0).map { .some($0) } }
        server.isSignUpOpen = try sources.value(
            .signup, default: isDemo, expected: "open or closed", Parse.signUp)
        server.clients = try sources.value(
            .clients, default: [], expected: "id=cookie, id=hybrid or id=body, separated by commas", Parse.clients)
        server.failedLoginsPerMinute = try sources.value(
            .loginRateLimit, default: 20, expected: "failed tries per minute, or off", Parse.rateLimit)
        server.signUpsPerHour = try sources.value(
            .signupRateLimit, default: 20, expected: "sign-ups per hour and network, or off", Parse.rateLimit)
        server.maximumSessions = try sources.value(
            .maxSessions, default: 100, expected: "a number from 1 to 10000"
        ) { Int($0).flatMap { 1...10_000 ~= $0 ? $0 : nil } }
        server.cookieName = try sources.value(
            .cookieName, default: SessionCookie.defaultName,
            expected: "a name of letters, digits and hyphens with a __Host- prefix"
        ) { SessionCookie.isName($0) ? $0 : nil }
        server.sameSite = try sources.value(.sameSite, default: .lax, expected: "Lax or Strict") { .init(rawValue: $0) }
        server.givesXSRFCookie = try sources.value(.xsrfCookie, default: false, expected: "true or false", Parse.bool)
        server.trustedOrigins = Set(
            try sources.value(
                .trustedOrigins, default: [], expected: "origins such as https://www.example.com, never null",
                Parse.origins))
        server.serviceWorkers = Set(
            try sources.value(
                .serviceWorkers, default: [], expected: "paths such as /sw.js, without query", Parse.paths))
        server.trustedProxies = try sources.value(
            .trustedProxies, default: .none, expected: "addresses or CIDR ranges such as 10.0.0.0/8", Parse.proxies)
        return server
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
            reissueDelay: try span(.reissueDelay, defaults.reissueDelay, from: 0),
            idleLifetime: try span(.idleLifetime, defaults.idleLifetime),
            absoluteLifetime: try span(.absoluteLifetime, defaults.absoluteLifetime))
    }

    /// Whoever can reach the server from outside must come over TLS and by the one name that it knows as its own.
    private func checkReach(_ sources: SettingsSources) throws(SettingsError) {
        if let publicURL = server.publicURL, publicURL.scheme != "https", !publicURL.isLoopback {
            throw SettingsError(
                source: sources.place(.publicURL), key: nil, problem: "expected https, except on loopback")
        }
        let isLoopback = ["localhost", "127.0.0.1", "::1"].contains(host)
        guard isLoopback || server.publicURL != nil else {
            throw SettingsError(
                source: sources.place(.host), key: nil,
                problem: "binding to \(host) needs publicURL, the address that browsers use")
        }
    }
}

extension String {
    /// The path from the root, for a process that runs in another directory.
    fileprivate var absolutePath: String {
        hasPrefix("/") ? self : "\(FileManager.default.currentDirectoryPath)/\(self)"
    }
}
