/// A group of settings. `cloakroom serve --help` and `docs/configuration.md` show each under its title.
protocol SettingsSection: SendableMetatype {
    static var title: String { get }
    static var settings: [Setting] { get }
}

/// All settings, by section, in the order of the document.
enum SettingsTable {
    static let sections: [any SettingsSection.Type] = [
        DataSettings.self, ListenerSettings.self, GatewaySettings.self, SessionSettings.self, AccountSettings.self,
        TokenSettings.self, BrowserSettings.self, ProcessSettings.self,
    ]

    static let all = sections.flatMap { $0.settings }

    static subscript(_ key: SettingKey) -> Setting? {
        all.first { $0.key == key }
    }
}
