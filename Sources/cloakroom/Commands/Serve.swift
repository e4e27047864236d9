import ArgumentParser
import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomTokens
import Foundation
import Logging
import Metrics
import NIOCore

/// `cloakroom serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the session endpoints over HTTP.",
        discussion: "When it accepts connections it prints one line: cloakroom: listening on http://HOST:PORT")

    @OptionGroup(title: "Settings") var options: SettingsOptions
    @OptionGroup(title: "Data") var storeOptions: StoreOptions

    func run() async throws {
        // A reader of the log that goes away must not take the server along.
        signal(SIGPIPE, SIG_IGN)
        NIOSingletons.groupLoopCountSuggestion = Processors.count
        let settings = try storeOptions.settings(options.values)
        if !settings.writesCoreDumps { CoreDumps.forbid() }
        LineLogHandler.bootstrap(settings.logLevel)
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let logger = Logger(label: "cloakroom")
        warn(about: settings, logger)
        do {
            let instance = try Instance.serving(settings)
            defer { instance.store.close() }
            try await Server(instance: instance, metrics: registry).run()
        } catch {
            throw CommandExit.complain(error)
        }
    }

    private func warn(about settings: Settings, _ logger: Logger) {
        if settings.isLoopbackDevelopment {
            let cookie = SessionCookie(name: settings.server.cookieName, isLoopbackDevelopment: true)
            logger.notice(
                "serving plain HTTP on this machine alone: WebKit, which refuses Secure cookies there, gets a plain cookie, \(cookie.plainName); set publicURL for anything else"
            )
        }
        for client in settings.server.clients where client.insecureAllowBrowser {
            logger.warning(
                "a client has insecureAllowBrowser: script in its pages can read its tokens",
                metadata: ["client": "\(client.id)"])
        }
        warnAboutEnvironment(logger)
    }

    private func warnAboutEnvironment(_ logger: Logger) {
        let environment = ProcessInfo.processInfo.environment
        let known = Set(SettingName.allCases.map(\.environmentName) + ["CLOAKROOM_CONFIG"])
        let links = environment.filter { ServiceLinks.contains($0.key, $0.value) }.keys.sorted()
        if !links.isEmpty {
            logger.notice(
                "environment variables that describe a Kubernetes service named cloakroom are no settings, and ignored",
                metadata: ["variables": "\(links.joined(separator: " "))"])
        }
        for name in environment.keys
        where name.hasPrefix("CLOAKROOM_") && !known.contains(name) && !links.contains(name) {
            logger.warning("an environment variable names no setting", metadata: ["variable": "\(name)"])
        }
    }
}
