import Foundation

/// The location of keys and database.
struct DataSettings: SettingsSection, Sendable {
    var directory = "./cloakroom-data"
    var databasePath = ""

    static let title = "Data"

    static let settings: [Setting] = [
        Setting(
            "dataDir", .text("directory", expected: "a directory"), to: \.data.directory, example: "/var/lib/cloakroom",
            help: "Directory for keys and database.",
            note: """
                A relative path counts from the working directory, so give every command the same `--config`, or set \
                `CLOAKROOM_CONFIG`.
                """),
        Setting(
            "store", .sqlite, to: \.data.databasePath,
            default: .computed("`cloakroom.sqlite` in `dataDir`") { settings in
                settings.data.databasePath = "\(settings.data.directory)/cloakroom.sqlite"
            },
            example: "sqlite:/var/lib/cloakroom/sessions.sqlite", help: "Database of accounts and sessions.",
            isRemembered: true),
    ]
}

extension ValueSyntax where Value == String {
    /// An absolute path, so that commands in another working directory find the database.
    fileprivate static var sqlite: Self {
        .init(
            placeholder: "sqlite:path", expected: "`sqlite:PATH` (PostgreSQL is not part of this version)",
            parse: { text in
                let path = text.dropFirst("sqlite:".count)
                guard text.hasPrefix("sqlite:"), !path.isEmpty else { return nil }
                return path.hasPrefix("/") ? String(path) : "\(FileManager.default.currentDirectoryPath)/\(path)"
            },
            write: { "sqlite:\($0)" })
    }
}
