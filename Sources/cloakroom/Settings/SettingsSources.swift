import Configuration
import Foundation

/// The places that a setting can come from, in their order: flag, environment, file; and for commands that look after the
/// data what the server was last started with.
struct SettingsSources {
    private let reader: ConfigReader
    private let layers: [(describe: (SettingName) -> String, values: [SettingName: String])]

    init(
        flags: [SettingName: String], environment: [String: String] = ProcessInfo.processInfo.environment,
        file path: String?, remembered: [SettingName: String] = [:]
    ) throws(SettingsError) {
        var file: [SettingName: String] = [:]
        if let path { file = try SettingsFile.read(path) }
        let environment = ServiceLinks.removed(from: environment)
        let inEnvironment = SettingName.allCases.compactMap { name in
            environment[name.environmentName].map { (name, $0) }
        }
        layers = [
            ({ $0.flag }, flags),
            ({ $0.environmentName }, Dictionary(uniqueKeysWithValues: inEnvironment)),
            ({ "\(path ?? ""): \($0.rawValue)" }, file), ({ "the server's last \($0.rawValue)" }, remembered),
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

    /// Those of `names` that are set somewhere, as they are written there.
    func values(of names: [SettingName]) -> [SettingName: String] {
        let pairs = names.compactMap { name in
            layers.lazy.compactMap { $0.values[name] }.first.map { (name, $0) }
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// Where the value of a setting comes from, for messages.
    func place(_ name: SettingName) -> String {
        layers.first { $0.values[name] != nil }?.describe(name) ?? name.rawValue
    }
}
