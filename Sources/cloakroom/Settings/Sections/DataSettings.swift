import CloakroomFiles
import CloakroomPostgres
import CloakroomSessions
import Foundation

/// The location of keys and database.
struct DataSettings: SettingsSection, Sendable {
    var directory = "./cloakroom-data"
    var store = StorePlace.sqlite(path: "")
    var masterSecret: MasterSecrets?
    var masterSecretFile: String?

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
        Setting(
            "masterSecret", ValueSyntax.masterSecrets.optional(), to: \.data.masterSecret,
            example: "wMH4_EoS40h4qPhTgR8cGvGHqhBM7JzxPkNLG1e2Y5s",
            help: "Secret under which the keys are sealed that PostgreSQL keeps. All instances have the same one.",
            note: """
                As a flag, every user of the machine can read it. While the secret is changed there are several, separated \
                by commas: the first seals, all open. See [the master secret](postgresql.md#keep-the-keys-safe).
                """, mayHoldPassword: true),
        Setting(
            "masterSecretFile", ValueSyntax.file("file").optional(), to: \.data.masterSecretFile,
            default: .computed("the credential `master-secret` of systemd, if there is one") { settings in
                settings.data.masterSecretFile = SystemCredential.path("master-secret")
            }, example: "/etc/cloakroom/master-secret", help: "File with the `masterSecret`.",
            note: "Read again when the keys change. Only its owner may read it.", isRemembered: true),
    ]
}

extension DataSettings {
    /// The master secrets, of the setting or of the file.
    /// - Throws: `SettingsError` that says what to do.
    func masterSecrets() throws(SettingsError) -> MasterSecrets {
        if let masterSecret { return masterSecret }
        guard let file = masterSecretFile else {
            throw SettingsError(
                place: "masterSecret",
                problem: """
                    PostgreSQL keeps the keys sealed under a secret that all instances have: run \
                    (umask 077; cloakroom keys secret > FILE) once, give every instance a copy, and set masterSecretFile
                    """)
        }
        let bytes: [UInt8]
        do {
            guard let read = try SecretFile.read(file, isGuarded: SystemCredential.contains(file)) else {
                throw SettingsError(place: "masterSecretFile", problem: "there is no file \(file)")
            }
            bytes = read
        } catch let error as SettingsError {
            throw error
        } catch {
            throw SettingsError(place: "masterSecretFile", problem: "\(error)")
        }
        guard let secrets = MasterSecrets(parsing: String(decoding: bytes, as: UTF8.self)) else {
            throw SettingsError(
                place: "masterSecretFile",
                problem: "\(file): expected \(ValueSyntax.masterSecrets.expected.withoutMarkup)")
        }
        return secrets
    }
}

/// The credentials that systemd gives to a service (`LoadCredential=`), as files that only the service can read.
private enum SystemCredential {
    private static var directory: String? { ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] }

    /// nil without such a credential.
    static func path(_ name: String) -> String? {
        let path = directory.map { "\($0)/\(name)" }
        return path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    static func contains(_ path: String) -> Bool {
        directory.map { path.hasPrefix("\($0)/") } ?? false
    }
}

extension ValueSyntax where Value == MasterSecrets {
    fileprivate static var masterSecrets: Self {
        .init(
            placeholder: "secret", expected: "32 bytes in base64url, as `cloakroom keys secret` prints them",
            parse: { MasterSecrets(parsing: $0) }, write: { $0.text })
    }
}

/// The database of accounts and sessions.
enum StorePlace: Hashable, Sendable {
    case sqlite(path: String)
    case postgres(PostgresAddress)
}

extension ValueSyntax where Value == StorePlace {
    /// An absolute path, so that commands in another working directory find the database; or the address of a server.
    static var store: Self {
        .init(
            placeholder: "store", expected: "`sqlite:PATH` or `postgres://HOST/DATABASE`",
            parse: { text in
                if PostgresAddress.hasScheme(text) {
                    return (try? PostgresAddress(parsing: text)).map { .postgres($0) }
                }
                let path = text.dropFirst("sqlite:".count)
                guard text.hasPrefix("sqlite:"), !path.isEmpty else { return nil }
                return .sqlite(path: absolute(String(path)))
            },
            write: { place in
                switch place {
                case .sqlite(let path): "sqlite:\(path)"
                case .postgres(let address): address.withoutPassword
                }
            },
            fault: { text in
                guard PostgresAddress.hasScheme(text) else { return nil }
                do throws(PostgresAddress.Invalid) { _ = try PostgresAddress(parsing: text) } catch {
                    return error.description
                }
                return nil
            })
    }
}
