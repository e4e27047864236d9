import CloakroomCore
import CloakroomEndpoints

/// The settings of an operator, read and checked. `SettingsTable` defines how each value gets here.
struct Settings: Sendable {
    var data = DataSettings()
    var listeners = ListenerSettings()
    var process = ProcessSettings()
    var server = AuthorizationServer.Configuration()
    /// The given values as text, for the commands for administration.
    private(set) var remembered: [SettingKey: String] = [:]

    /// The defaults, without those that are computed from other settings.
    init() {}

    /// Reads and checks all settings.
    /// - Throws: `SettingsError` for the first invalid value.
    init(_ sources: SettingsSources) throws(SettingsError) {
        for setting in SettingsTable.all {
            guard let (text, place) = sources.value(of: setting.key) else { continue }
            guard setting.apply(text, &self) else {
                throw SettingsError(
                    place: place, problem: "expected \(setting.expected.withoutMarkup), got \"\(text)\"")
            }
            if setting.isRemembered { remembered[setting.key] = setting.text(self) }
        }
        for setting in SettingsTable.all where sources.value(of: setting.key) == nil {
            setting.defaultValue.apply(&self)
        }
        try checkReach(sources)
    }

    var privateListener: PrivateListener? {
        listeners.privateAddress.map { PrivateListener(address: $0, socketGroup: listeners.privateSocketGroup) }
    }

    /// Whether clients reach the server over plain HTTP, on this machine only.
    var isLoopbackDevelopment: Bool {
        server.publicURL.map { $0.isLoopback && $0.scheme == "http" } ?? true
    }

    /// Checks that requests from other machines come over TLS, and under the one name that the origin check accepts.
    private func checkReach(_ sources: SettingsSources) throws(SettingsError) {
        if let publicURL = server.publicURL, publicURL.scheme != "https", !publicURL.isLoopback {
            throw SettingsError(
                place: sources.place(of: "publicURL"), problem: "expected https, except on loopback")
        }
        let isLoopback = ["localhost", "127.0.0.1", "::1"].contains(listeners.host)
        guard isLoopback || server.publicURL != nil else {
            throw SettingsError(
                place: sources.place(of: "host"),
                problem: "binding to \(listeners.host) needs publicURL, the address that browsers use")
        }
    }
}

/// An invalid setting: the place of its value, and the problem.
struct SettingsError: Error, CustomStringConvertible {
    let place: String
    let problem: String

    var description: String { "\(place): \(problem)" }
}
