import ArgumentParser

/// The flags of a section's settings, generated from the table.
///
/// The argument parser reads the definitions of flags from the mirror of a value. This type declares them in a custom
/// mirror, so that help, messages and completions are the same as for flags that are properties.
struct SettingsFlags<Section: SettingsSection>: ParsableArguments, CustomReflectable {
    /// The values that were given, as text.
    private(set) var values: [SettingKey: String] = [:]

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: SettingKey.self)
        for setting in Section.settings {
            if setting.isSwitch {
                values[setting.key] = try container.decode(Bool.self, forKey: setting.key) ? "true" : nil
            } else {
                values[setting.key] = try container.decodeIfPresent(String.self, forKey: setting.key)
            }
        }
    }

    var customMirror: Mirror {
        Mirror(self, children: Section.settings.map { (label: $0.key.name, value: FlagDefinitions.of($0)) })
    }
}

/// Created once: in debug builds the parser reads the mirror again for each check at each level of groups.
private enum FlagDefinitions {
    private static let all: [SettingKey: any Sendable] = Dictionary(
        uniqueKeysWithValues: SettingsTable.all.map { ($0.key, $0.flagDefinition) })

    static func of(_ setting: Setting) -> any Sendable {
        all[setting.key] ?? setting.flagDefinition
    }
}

extension Setting {
    fileprivate var flagDefinition: any Sendable {
        let name = NameSpecification.customLong(String(key.flag.dropFirst(2)))
        if isSwitch { return Flag(wrappedValue: false, name: name, help: ArgumentHelp(flagHelp)) }
        return Option<String?>(
            name: name, help: ArgumentHelp(flagHelp, valueName: placeholder),
            completion: words.isEmpty ? nil : .list(words))
    }

    private var flagHelp: String {
        let value = [defaultValue.text, defaultValue.remark].compactMap { $0 }.joined(separator: ", ")
        let texts = isSwitch ? [help, risk?.warning] : [help, risk?.warning, "(default: \(value))"]
        return texts.compactMap { $0 }.joined(separator: " ").withFlags
    }
}

extension SettingKey: CodingKey {
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
    var stringValue: String { name }
    var intValue: Int? { nil }
}
