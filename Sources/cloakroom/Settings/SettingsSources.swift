import Foundation

/// The sources of a setting's value. The first that has one counts: flag, environment, file, and for administration
/// the value with which the server was last started.
struct SettingsSources {
    private struct Layer {
        let values: [SettingKey: String]
        let place: (SettingKey) -> String
    }

    private let layers: [Layer]

    /// - Throws: `SettingsError` for a file that cannot be read.
    init(
        flags: [SettingKey: String], environment: [String: String] = ProcessInfo.processInfo.environment,
        file path: String?, remembered: [SettingKey: String] = [:]
    ) throws(SettingsError) {
        // Compose and Helm pass on an empty text for a value that was not given.
        let environment = ServiceLinks.removed(from: environment).filter { !$0.value.isEmpty }
        let pairs = SettingsTable.all.compactMap { setting in
            environment[setting.key.environmentName].map { (setting.key, $0) }
        }
        var layers = [
            Layer(values: flags) { $0.flag },
            Layer(values: Dictionary(uniqueKeysWithValues: pairs)) { $0.environmentName },
        ]
        if let path { layers.append(Layer(values: try SettingsFile.read(path)) { "\(path): \($0)" }) }
        self.layers = layers + [Layer(values: remembered) { "the server's last \($0)" }]
    }

    /// The text of a value and its source; nil if the setting is not given.
    func value(of key: SettingKey) -> (text: String, place: String)? {
        layers.lazy.compactMap { layer in layer.values[key].map { ($0, layer.place(key)) } }.first
    }

    /// The source of a setting's value, for messages.
    func place(of key: SettingKey) -> String {
        value(of: key)?.place ?? key.name
    }
}
