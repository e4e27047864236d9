import CloakroomCore
import CloakroomFiles

/// The settings with which a server was last started, for the commands that administer its data: they must agree with
/// the server on which sessions are live and which keys are retired.
struct SettingsMemory {
    private static let file = "last-settings"
    /// The settings that affect the data. None is secret.
    private static var keys: [SettingKey] { SettingsTable.all.filter(\.isRemembered).map(\.key) }

    private let directory: DataDirectory

    init(_ directory: DataDirectory) {
        self.directory = directory
    }

    /// Reads the saved settings; empty if no server was started in this directory.
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
