import CloakroomFiles
import CloakroomTokens

/// The settings that a server was last started with, for the commands that look after its data: they must call those
/// sessions live, and those keys retired, that the server does.
struct SettingsMemory {
    private static let file = "last-settings"
    /// Those that decide about the data. None is secret.
    private static var keys: [SettingKey] { SettingsTable.all.filter(\.isRemembered).map(\.key) }

    private let directory: DataDirectory

    init(_ directory: DataDirectory) {
        self.directory = directory
    }

    /// Empty when no server was started here.
    func read() throws -> [SettingKey: String] {
        guard let bytes = try directory.readSecret(Self.file) else { return [:] }
        guard let object = try? JSONReader.read(bytes).objectValue else {
            throw UnusableData(.damaged, "\(directory.file(Self.file)) is not a file of settings; delete it")
        }
        let pairs = Self.keys.compactMap { key in object[key.name]?.stringValue.map { (key, $0) } }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    func write(_ values: [SettingKey: String]) throws {
        var object = JSONObject()
        for key in Self.keys {
            if let value = values[key] { object[key.name] = .string(value) }
        }
        let bytes = JSONValue.object(object).serialized
        guard (try? directory.readSecret(Self.file)) != bytes else { return }
        try directory.exclusively { try directory.writeSecret(Self.file, bytes) }
    }
}
