import ArgumentParser
import CloakroomFiles
import Foundation

/// The flags of `cloakroom serve`, besides those of `StoreOptions`.
struct SettingsOptions: ParsableArguments {
    @OptionGroup(title: ListenerSettings.title) var listeners: SettingsFlags<ListenerSettings>
    @OptionGroup(title: GatewaySettings.title) var gateway: SettingsFlags<GatewaySettings>
    @OptionGroup(title: SessionSettings.title) var sessions: SettingsFlags<SessionSettings>
    @OptionGroup(title: AccountSettings.title) var accounts: SettingsFlags<AccountSettings>
    @OptionGroup(title: TokenSettings.title) var tokens: SettingsFlags<TokenSettings>
    @OptionGroup(title: BrowserSettings.title) var browsers: SettingsFlags<BrowserSettings>
    @OptionGroup(title: ProcessSettings.title) var process: SettingsFlags<ProcessSettings>

    var values: [SettingKey: String] {
        [
            listeners.values, gateway.values, sessions.values, accounts.values, tokens.values, browsers.values,
            process.values,
        ].reduce(into: [:]) { $0.merge($1) { one, _ in one } }
    }
}

/// The flags that every subcommand takes to find the data.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The YAML file with settings.", valueName: "file"), completion: .file())
    var config: String?
    @OptionGroup var data: SettingsFlags<DataSettings>

    /// Reads the settings of a server that starts.
    /// - Throws: `ExitCode`, after printing the error to standard error.
    func settings(_ others: [SettingKey: String] = [:]) throws -> Settings {
        try settings(others, remembered: [:])
    }

    /// Reads the settings of the server that owns this data. A setting that is not given here has the value with
    /// which the server was last started.
    /// - Throws: `UnusableData`, or `ExitCode` after printing the error to standard error.
    func settingsOfServer() throws -> Settings {
        let settings = try settings()
        guard let directory = try? DataDirectory(existing: settings.data.directory) else { return settings }
        return try self.settings([:], remembered: SettingsMemory(directory).read())
    }

    private func settings(
        _ others: [SettingKey: String], remembered: [SettingKey: String]
    ) throws -> Settings {
        let flags = data.values.merging(others) { one, _ in one }
        let environment = ProcessInfo.processInfo.environment
        do throws(SettingsError) {
            let file = try file(environment)
            return try Settings(
                SettingsSources(flags: flags, environment: environment, file: file, remembered: remembered))
        } catch {
            Terminal.complain("\(error)")
            throw CommandExit.configuration.code
        }
    }

    /// The file with the settings, if one is given. An empty variable is one that is not set, as for every setting.
    /// - Throws: `SettingsError` for a flag with an empty path.
    func file(_ environment: [String: String]) throws(SettingsError) -> String? {
        guard config != "" else {
            throw SettingsError(place: "--config", problem: "expected the path of a YAML file, got an empty text")
        }
        return config ?? environment["CLOAKROOM_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    }
}
