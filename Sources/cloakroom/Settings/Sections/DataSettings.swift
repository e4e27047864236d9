import CloakroomPostgres
import Foundation

/// The location of keys and database.
struct DataSettings: SettingsSection, Sendable {
    var directory = "./cloakroom-data"
    var store = StorePlace.sqlite(path: "")

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
            "store", .store, to: \.data.store,
            default: .computed("`cloakroom.sqlite` in `dataDir`") { settings in
                settings.data.store = .sqlite(path: "\(settings.data.directory)/cloakroom.sqlite")
            },
            example: "sqlite:/var/lib/cloakroom/sessions.sqlite", help: "Database of accounts and sessions.",
            note: "[PostgreSQL](postgresql.md) is for several instances.", isRemembered: true, mayHoldPassword: true),
    ]
}

/// The database of accounts and sessions.
enum StorePlace: Hashable, Sendable {
    case sqlite(path: String)
    case postgres(PostgresAddress)
}

extension ValueSyntax where Value == StorePlace {
    /// An absolute path, so that commands in another working directory find the database; or the address of a server.
    fileprivate static var store: Self {
        .init(
            placeholder: "store", expected: "`sqlite:PATH` or `postgres://HOST/DATABASE`",
            parse: { text in
                if PostgresAddress.hasScheme(text) {
                    return (try? PostgresAddress(parsing: text)).map { .postgres($0) }
                }
                let path = text.dropFirst("sqlite:".count)
                guard text.hasPrefix("sqlite:"), !path.isEmpty else { return nil }
                return .sqlite(
                    path: path.hasPrefix("/") ? String(path) : "\(FileManager.default.currentDirectoryPath)/\(path)")
            },
            write: { place in
                switch place {
                case .sqlite(let path): "sqlite:\(path)"
                case .postgres(let address): address.withoutPassword
                }
            })
    }
}
