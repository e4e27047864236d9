import ArgumentParser
import CloakroomEndpoints
import Foundation
import Testing

@testable import cloakroom

extension Setting: CustomTestStringConvertible {
    /// The key.
    public var testDescription: String { key.name }
}

@Suite struct SettingsTableTests {
    enum Place: CaseIterable {
        case flag, environment, file
    }

    /// Environment variables without which a setting cannot be given.
    private func companions(of setting: Setting) -> [String: String] {
        setting.key == "hosts" ? ["CLOAKROOM_PUBLIC_URL": "https://login.example.com"] : [:]
    }

    /// Reads one setting from one source, as the command does.
    private func settings(_ setting: Setting, _ text: String, in place: Place) throws -> Settings {
        switch place {
        case .flag:
            let command = try Serve.parse(setting.isSwitch ? [setting.key.flag] : [setting.key.flag, text])
            let flags = command.options.values.merging(command.storeOptions.data.values) { one, _ in one }
            return try Settings(SettingsSources(flags: flags, environment: companions(of: setting), file: nil))
        case .environment:
            let environment = companions(of: setting).merging([setting.key.environmentName: text]) { $1 }
            return try Settings(SettingsSources(flags: [:], environment: environment, file: nil))
        case .file:
            let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            _ = FileManager.default.createFile(atPath: path, contents: Data("\(setting.key): '\(text)'".utf8))
            return try Settings(SettingsSources(flags: [:], environment: companions(of: setting), file: path))
        }
    }

    private func defaults(beside setting: Setting) throws -> Settings {
        try Settings(SettingsSources(flags: [:], environment: companions(of: setting), file: nil))
    }

    /// The text by which an error message names the source.
    private func name(of setting: Setting, in place: Place) -> String {
        switch place {
        case .flag: "\(setting.key.flag): expected"
        case .environment: "\(setting.key.environmentName): expected"
        case .file: ".yaml: \(setting.key): expected"
        }
    }

    @Test("each key belongs to one setting")
    func keys() {
        #expect(Set(SettingsTable.all.map(\.key)).count == SettingsTable.all.count)
    }

    @Test("each setting can be given by flag, environment and file", arguments: SettingsTable.all, Place.allCases)
    func given(_ setting: Setting, _ place: Place) throws {
        #expect(try setting.text(settings(setting, setting.example, in: place)) == setting.example)
    }

    @Test("each setting changes its own value and those whose defaults depend on it", arguments: SettingsTable.all)
    func alone(_ setting: Setting) throws {
        let followers = [
            "publicURL": ["issuer"], "dataDir": ["store"], "demo": ["signup"],
            "tlsSelfSigned": ["publicURL", "issuer"],
        ]
        let (before, after) = (try defaults(beside: setting), try settings(setting, setting.example, in: .environment))
        let changed = SettingsTable.all.filter { $0.text(before) != $0.text(after) }.map(\.key.name)
        #expect(Set(changed) == Set([setting.key.name] + followers[setting.key.name, default: []]))
    }

    private func takes(_ setting: Setting, _ text: String) -> Bool {
        var settings = Settings()
        return setting.apply(text, &settings)
    }

    @Test("a bad value is refused, and the message names its place", arguments: SettingsTable.all, Place.allCases)
    func refused(_ setting: Setting, _ place: Place) throws {
        if setting.isSwitch && place == .flag { return }
        let bad = try #require(["?", ""].first { !takes(setting, $0) }, "the setting accepts any text")
        // An empty variable is one that is not set.
        if bad.isEmpty, place == .environment { return }
        let error = #expect(throws: SettingsError.self) { try settings(setting, bad, in: place) }
        #expect(error?.description.contains(name(of: setting, in: place)) == true)
        let got = setting.mayHoldPassword ? "" : ", got \"\(bad)\""
        #expect(error?.description.hasSuffix("\(setting.expected.withoutMarkup)\(got)") == true)
    }

    @Test("a default that the table states is the value that is used", arguments: SettingsTable.all)
    func defaultValue(_ setting: Setting) throws {
        guard setting.defaultValue.isValue else {
            #expect(!setting.defaultValue.text.isEmpty)
            return
        }
        let settings = try settings(setting, setting.defaultValue.text, in: .environment)
        #expect(try setting.text(settings) == setting.text(defaults(beside: setting)))
        #expect(setting.example != setting.defaultValue.text)
    }

    @Test("serve --help shows each flag with its help and its default", arguments: SettingsTable.all)
    func help(_ setting: Setting) {
        let help = Self.serveHelp
        #expect(help.contains("  \(setting.key.flag)\(setting.isSwitch ? " " : " <\(setting.placeholder)>")"))
        #expect(help.contains(setting.help.withFlags))
        if !setting.isSwitch { #expect(help.contains("(default: \(setting.defaultValue.text.withFlags)")) }
    }

    @Test("shells complete each flag", arguments: SettingsTable.all)
    func completion(_ setting: Setting) {
        #expect(Self.completions.contains(setting.key.flag))
    }

    private static let serveHelp = Serve.helpMessage(columns: 1000)
    private static let completions = Cloakroom.completionScript(for: .bash)

    @Test("the commands for data take the settings that locate it, and no others")
    func administration() {
        let help = Users.List.helpMessage()
        let offered = SettingsTable.all.filter { help.contains("\($0.key.flag) ") }.map(\.key.name)
        #expect(offered == DataSettings.settings.map(\.key.name))
    }

    @Test(
        "the message names a wrong flag and the most similar one",
        arguments: [
            (["--publc-url", "https://a.example"], "Did you mean '--public-url'?"),
            (["--port"], "Missing value for '--port <port>'"), (["--demo=yes"], "does not take any value"),
            (["--port", "1", "x"], "Unexpected argument 'x'"),
        ])
    func wrongFlag(_ arguments: [String], _ complaint: String) {
        let error = #expect(throws: (any Error).self) { try Serve.parse(arguments) }
        if let error {
            #expect(Serve.fullMessage(for: error).contains(complaint))
            #expect(Serve.exitCode(for: error).rawValue == CommandExit.usage.rawValue)
        }
    }

    @Test(
        "a flag's value may follow an equals sign, and may begin with a hyphen there",
        arguments: [("--audience=api", "api"), ("--audience=-x", "-x"), ("--audience=a=b", "a=b")])
    func equalsSign(_ argument: String, _ value: String) throws {
        #expect(try Serve.parse([argument]).options.values["audience"] == value)
    }

    @Test(
        "an unsafe value causes a warning",
        arguments: [
            ("loginRateLimit", "off"), ("clients", "old=body+insecureAllowBrowser"), ("coreDumps", "true"),
            ("stragglerWindow", "2592000.001"),
        ])
    func risks(_ key: String, _ text: String) throws {
        let setting = try #require(SettingsTable[SettingKey(key)])
        let risk = try #require(setting.risk)
        #expect(try !risk.isTaken(defaults(beside: setting)) && risk.isTaken(settings(setting, text, in: .environment)))
    }
}
