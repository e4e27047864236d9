import CloakroomAccounts
import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomSQLite
import CloakroomSessions
import CloakroomTokens
import Logging

/// The server and its store, built from the settings. This is the only place that chooses a store.
struct Instance {
    let settings: Settings
    let environment: Environment
    let store: SQLiteStore
    let server: AuthorizationServer

    var sessions: SessionService { server.sessions }
    var accounts: AccountService { server.accounts }

    /// Opens everything that a server needs, and creates directory, database and keys at the first start.
    static func serving(_ settings: Settings) throws -> Self {
        let environment = Environment.system
        let directory = try DataDirectory(settings.data.directory)
        let store = try SQLiteStore(path: settings.data.databasePath, as: .server)
        let files = KeyFiles(directory: directory, environment: environment)
        let keys = try files.open(settings.server.signingAlgorithm?.algorithm, under: settings.server.policy)
        remember(settings, in: directory)
        return try Self(settings, environment, store, files, keys)
    }

    /// Saves the settings for the other commands. A failure must not stop the start: the directory may be mounted
    /// read-only, with the database elsewhere.
    private static func remember(_ settings: Settings, in directory: DataDirectory) {
        do { try SettingsMemory(directory).write(settings.remembered) } catch {
            Logger(label: "cloakroom").warning(
                "commands will not know the settings of this server, and must be given them",
                metadata: ["problem": "\(error)"])
        }
    }

    /// Opens the data for administration. It signs nothing and needs no keys, so that sessions can be ended while a
    /// key file cannot be read.
    /// - Parameter making: whether to create a missing directory and database.
    static func administering(_ settings: Settings, making: Bool) throws -> Self {
        let environment = Environment.system
        let directory =
            try making ? DataDirectory(settings.data.directory) : DataDirectory(existing: settings.data.directory)
        let store = try SQLiteStore(path: settings.data.databasePath, making: making, as: .command)
        let keys = try IssuerKeys.first(.es256, at: environment.now(), random: environment.random)
        return try Self(settings, environment, store, KeyFiles(directory: directory, environment: environment), keys)
    }

    private init(
        _ settings: Settings, _ environment: Environment, _ store: SQLiteStore, _ source: any KeySource,
        _ keys: IssuerKeys
    ) throws {
        self.settings = settings
        self.environment = environment
        self.store = store
        server = AuthorizationServer(
            store: store, keySource: source, keys: keys, configuration: settings.server,
            hasher: try AuthorizationServer.hasher(), environment: environment)
    }
}
