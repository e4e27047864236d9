import CloakroomFiles
import CloakroomTokens

/// The settings that a server was last started with, for the commands that look after its data: a session that they call
/// live, and a key that they call retired, must be what the server takes it for.
struct SettingsMemory {
    private static let file = "last-settings"
    /// Those that decide about the data. None is secret.
    static let names: [SettingName] = [
        .store, .accessTokenLifetime, .stragglerWindow, .reissueDelay, .idleLifetime, .absoluteLifetime,
    ]

    private let directory: DataDirectory

    init(_ directory: DataDirectory) {
        self.directory = directory
    }

    /// Empty when no server was started here.
    func read() throws -> [SettingName: String] {
        guard let bytes = try directory.readSecret(Self.file) else { return [:] }
        guard let object = try? JSONReader.read(bytes).objectValue else {
            throw UnusableData(.damaged, "\(directory.file(Self.file)) is not a file of settings; delete it")
        }
        let pairs = Self.names.compactMap { name in object[name.rawValue]?.stringValue.map { (name, $0) } }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    func write(_ values: [SettingName: String]) throws {
        var object = JSONObject()
        for name in Self.names {
            if let value = values[name] { object[name.rawValue] = .string(value) }
        }
        let bytes = JSONValue.object(object).serialized
        guard (try? directory.readSecret(Self.file)) != bytes else { return }
        try directory.exclusively { try directory.writeSecret(Self.file, bytes) }
    }
}
