import ArgumentParser
import CloakroomCore
import CloakroomEndpoints
import CloakroomGateway
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import Logging
import Metrics
import NIOCore

/// `cloakroom serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the session endpoints over HTTP.",
        usage: "cloakroom serve [--demo] [--config <file>] [<settings>]",
        discussion: """
            When the server accepts connections it prints: cloakroom: listening on http://HOST:PORT

            Each setting below is a flag (--public-url), an environment variable (CLOAKROOM_PUBLIC_URL) and a key of the \
            YAML file that --config or CLOAKROOM_CONFIG names (publicURL). A flag beats the environment, the environment \
            beats the file. Lists are separated by commas.
            """)

    @OptionGroup(title: DataSettings.title) var storeOptions: StoreOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        // Otherwise a write to a closed pipe, such as a log whose reader has exited, would kill the process.
        signal(SIGPIPE, SIG_IGN)
        NIOSingletons.groupLoopCountSuggestion = Processors.count
        let sockets = try inheritedSockets()
        let settings = try storeOptions.settings(options.values.merging(sockets.settings) { $1 })
        if !settings.process.writesCoreDumps { CoreDumps.forbid() }
        LineLogHandler.bootstrap(settings.process.logLevel)
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let logger = Logger(label: "cloakroom")
        warn(about: settings, logger)
        do {
            let instance = try await Instance.serving(settings)
            defer { instance.close() }
            try await Server(instance: instance, metrics: registry, sockets: sockets).run()
        } catch {
            throw CommandExit.complain(error)
        }
    }

    private func inheritedSockets() throws -> InheritedSockets {
        do { return try InheritedSockets.take() } catch { throw CommandExit.complain(error) }
    }

    private func warn(about settings: Settings, _ logger: Logger) {
        if settings.isLoopbackDevelopment {
            let cookie = SessionCookie(name: settings.server.cookieName, isLoopbackDevelopment: true)
            logger.notice(
                "no TLS: only this machine can connect, and browsers that refuse Secure cookies without TLS (WebKit) get the plain cookie \(cookie.plainName); set publicURL to an https address to serve other machines"
            )
        }
        for setting in SettingsTable.all {
            guard let risk = setting.risk, risk.isTaken(settings) else { continue }
            logger.warning("\(risk.warning.withoutMarkup)", metadata: ["setting": "\(setting.key)"])
        }
        warnAboutRoutes(settings, logger)
        warnAboutEnvironment(logger)
    }

    private func warnAboutRoutes(_ settings: Settings, _ logger: Logger) {
        for route in settings.routes?.routes ?? [] {
            let missing = Set(route.claims.keys).subtracting(settings.server.claims)
            guard !missing.isEmpty else { continue }
            logger.warning(
                "a rule demands claims that no session has, because the setting claims does not name them",
                metadata: ["path": "\(route.pattern)", "claims": "\(missing.sorted().joined(separator: " "))"])
        }
    }

    private func warnAboutEnvironment(_ logger: Logger) {
        let environment = ProcessInfo.processInfo.environment
        let known = Set(SettingsTable.all.map(\.key.environmentName) + ["CLOAKROOM_CONFIG"])
        let links = environment.filter { ServiceLinks.contains($0.key, $0.value) }.keys.sorted()
        if !links.isEmpty {
            logger.notice(
                "environment variables that describe a Kubernetes service named cloakroom are no settings, and ignored",
                metadata: ["variables": "\(links.joined(separator: " "))"])
        }
        let empty = known.filter { environment[$0] == "" }.sorted()
        if !empty.isEmpty {
            logger.notice(
                "environment variables that are empty count as not set",
                metadata: ["variables": "\(empty.joined(separator: " "))"])
        }
        for name in environment.keys
        where name.hasPrefix("CLOAKROOM_") && !known.contains(name) && !links.contains(name) {
            logger.warning("an environment variable names no setting", metadata: ["variable": "\(name)"])
        }
    }
}
