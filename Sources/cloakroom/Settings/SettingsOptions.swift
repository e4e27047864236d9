import ArgumentParser
import CloakroomFiles
import Foundation

/// The flags of every setting.
struct SettingsOptions: ParsableArguments {
    @Option(help: "The address to listen on. (default: 127.0.0.1)")
    var host: String?
    @Option(help: "The port to listen on; 0 picks a free one. (default: 8080)")
    var port: String?
    @Option(help: "The address that browsers use, such as https://app.example.com.", transform: { $0 })
    var publicURL: String?
    @Option(help: "Where proxies, scrapers and backends connect: HOST:PORT or unix:PATH. (default: off)")
    var privateListen: String?
    @Option(help: "The group that may use the private Unix socket. (default: the process's own)")
    var privateSocketGroup: String?
    @Option(help: "Seconds that a whole request may take to arrive. (default: 30)")
    var requestTimeout: String?
    @Option(help: "Connections on each listener at most. (default: as many as there are descriptors for)")
    var maxConnections: String?
    @Flag(help: "Serve a small app at / that shows everything at work.")
    var demo = false
    @Option(help: "Seconds an access token lives. (default: 300)")
    var accessTokenLifetime: String?
    @Option(help: "Seconds in which the generation before is still served. (default: 30)")
    var stragglerWindow: String?
    @Option(help: "Seconds before a retry is given the new refresh token again. (default: 2)")
    var reissueDelay: String?
    @Option(help: "Sessions of one account at most. (default: 100)")
    var maxSessions: String?
    @Option(help: "Seconds a session lives unused. (default: 30 days)")
    var idleLifetime: String?
    @Option(help: "Seconds a session lives at most. (default: 90 days)")
    var absoluteLifetime: String?
    @Option(help: "open or closed. (default: closed; open with --demo)")
    var signup: String?
    @Option(help: "Origins whose pages may send requests with credentials.")
    var trustedOrigins: String?
    @Option(help: "Addresses or CIDR ranges whose forwarded headers count.")
    var trustedProxies: String?
    @Option(help: "Paths of the app's own service workers, such as /sw.js; no other script becomes one.")
    var serviceWorkers: String?
    @Option(help: "The aud of access tokens. (default: the issuer)")
    var audience: String?
    @Option(help: "The iss of access tokens. (default: the public URL)")
    var issuer: String?
    @Option(help: "ES256, Ed25519 or RS256. (default: ES256)")
    var signingAlgorithm: String?
    @Option(help: "Clients and their delivery, such as mobile=body,spa=hybrid.")
    var clients: String?
    @Option(help: "Failed logins per minute, per account and per network, or off. (default: 20)")
    var loginRateLimit: String?
    @Option(help: "Sign-ups per hour and network, or off. (default: 20)")
    var signupRateLimit: String?
    @Option(help: "The name of the session cookie, with a __Host- prefix. (default: __Host-Http-session)")
    var cookieName: String?
    @Option(help: "SameSite of the cookie: Lax or Strict. (default: Lax)")
    var sameSite: String?
    @Option(help: "true to give out the XSRF-TOKEN cookie, for browsers that name no origin. (default: false)")
    var xsrfCookie: String?
    @Flag(help: "Let crashes write the memory, which holds passwords and keys, to a core dump.")
    var coreDumps = false
    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    var values: [SettingName: String] {
        let values: [SettingName: String?] = [
            .host: host, .port: port, .publicURL: publicURL, .demo: demo ? "true" : nil,
            .privateListen: privateListen, .privateSocketGroup: privateSocketGroup, .requestTimeout: requestTimeout,
            .maxConnections: maxConnections, .reissueDelay: reissueDelay, .maxSessions: maxSessions,
            .signupRateLimit: signupRateLimit, .cookieName: cookieName,
            .accessTokenLifetime: accessTokenLifetime, .stragglerWindow: stragglerWindow, .idleLifetime: idleLifetime,
            .absoluteLifetime: absoluteLifetime, .signup: signup, .trustedOrigins: trustedOrigins,
            .trustedProxies: trustedProxies, .serviceWorkers: serviceWorkers, .audience: audience, .issuer: issuer,
            .signingAlgorithm: signingAlgorithm, .clients: clients, .loginRateLimit: loginRateLimit,
            .sameSite: sameSite, .xsrfCookie: xsrfCookie, .logLevel: logLevel,
            .coreDumps: coreDumps ? "true" : nil,
        ]
        return values.compactMapValues { $0 }
    }
}

/// The flags that every subcommand needs to find the data.
struct StoreOptions: ParsableArguments {
    @Option(help: "Where keys and the database are kept. (default: ./cloakroom-data)")
    var dataDir: String?
    @Option(help: "sqlite:PATH. (default: in the data directory)")
    var store: String?
    @Option(help: ArgumentHelp("The YAML file with settings.", valueName: "file"))
    var config: String?

    /// The settings of a server that begins.
    /// - Throws: `ExitCode` after saying on standard error what is wrong.
    func settings(_ others: [SettingName: String] = [:]) throws -> Settings {
        try settings(others, remembered: [:])
    }

    /// The settings of the server whose data this is: where they are not given here, those that it was last started
    /// with.
    /// - Throws: `UnusableData`, or `ExitCode` after saying on standard error what is wrong.
    func settingsOfServer(_ others: [SettingName: String] = [:]) throws -> Settings {
        let settings = try settings(others)
        guard let directory = try? DataDirectory(existing: settings.dataDirectory) else { return settings }
        return try self.settings(others, remembered: SettingsMemory(directory).read())
    }

    private func settings(
        _ others: [SettingName: String], remembered: [SettingName: String]
    ) throws -> Settings {
        var flags = others
        flags[.dataDir] = dataDir
        flags[.store] = store
        let environment = ProcessInfo.processInfo.environment
        do throws(SettingsError) {
            let file = config ?? environment["CLOAKROOM_CONFIG"]
            return try Settings(
                SettingsSources(flags: flags, environment: environment, file: file, remembered: remembered))
        } catch {
            Terminal.complain("\(error)")
            throw CommandExit.configuration.code
        }
    }
}
