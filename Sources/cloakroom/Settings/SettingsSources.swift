import Configuration
import Foundation

/// The three places that a setting can come from, in their order: flag, environment, file.
struct SettingsSources {
    private let reader: ConfigReader
    private let layers: [(describe: (SettingName) -> String, values: [SettingName: String])]

    init(
        flags: [SettingName: String], environment: [String: String] = ProcessInfo.processInfo.environment,
        file path: String?
    ) throws(SettingsError) {
        var file: [SettingName: String] = [:]
        if let path { file = try SettingsFile.read(path) }
        let inEnvironment = SettingName.allCases.compactMap { name in
            environment[name.environmentName].map { (name, $0) }
        }
        layers = [
            ({ $0.flag }, flags),
            ({ $0.environmentName }, Dictionary(uniqueKeysWithValues: inEnvironment)),
            ({ "\(path ?? ""): \($0.rawValue)" }, file),
        ]
        reader = ConfigReader(providers: layers.map { Self.provider($0.values) })
    }

    private static func provider(_ values: [SettingName: String]) -> InMemoryProvider {
        let values = values.map { (AbsoluteConfigKey([$0.rawValue]), ConfigValue(.string($1), isSecret: false)) }
        return InMemoryProvider(values: Dictionary(uniqueKeysWithValues: values))
    }

    /// - Throws: `SettingsError` naming the place that won, unless `parse` makes something of the text.
    func value<Value>(
        _ name: SettingName, default fallback: Value, expected: String, _ parse: (String) -> Value?
    ) throws(SettingsError) -> Value {
        guard let text = reader.string(forKey: ConfigKey([name.rawValue])) else { return fallback }
        guard let value = parse(text) else {
            throw SettingsError(source: place(name), key: nil, problem: "expected \(expected), got \"\(text)\"")
        }
        return value
    }

    /// Where the value of a setting comes from, for messages.
    func place(_ name: SettingName) -> String {
        layers.first { $0.values[name] != nil }?.describe(name) ?? name.rawValue
    }
}
