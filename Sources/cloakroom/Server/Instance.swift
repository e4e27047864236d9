import CloakroomAccounts
import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomPostgres
import CloakroomSQLite
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Logging

/// The server and its store, built from the settings.
struct Instance {
    let settings: Settings
    let environment: Environment
    let store: any Store
    let server: AuthorizationServer
    /// Closes the store. Later calls of it throw.
    let close: @Sendable () -> Void

    var sessions: SessionService { server.sessions }
    var accounts: AccountService { server.accounts }

    /// Opens everything that a server needs, and creates directory, database and keys at the first start.
    static func serving(_ settings: Settings) async throws -> Self {
        let directory = try DataDirectory(settings.data.directory)
        // Before the database is opened: a start that is refused for want of a secret changes nothing.
        if case .postgres = settings.data.store { _ = try settings.data.masterSecrets() }
        let store = try OpenStore(settings.data.store, making: true, isCommand: false)
        do {
            let environment = Environment.system(on: store.store)
            let place = KeyPlace(settings.data, directory, store.keys, environment)
            let keys = try await place.open(
                settings.server.signingAlgorithm?.algorithm, under: settings.server.policy)
            remember(settings, in: directory)
            return try Self(settings, environment, store, place.source, keys)
        } catch {
            store.close()
            throw error
        }
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
        let directory =
            try making ? DataDirectory(settings.data.directory) : DataDirectory(existing: settings.data.directory)
        let store = try OpenStore(settings.data.store, making: making, isCommand: true)
        let environment = Environment.system(on: store.store)
        let keys = try IssuerKeys.first(.es256, at: environment.now(), random: environment.random)
        return try Self(settings, environment, store, KeyFiles(directory: directory, environment: environment), keys)
    }

    private init(
        _ settings: Settings, _ environment: Environment, _ opened: OpenStore, _ source: any KeySource,
        _ keys: IssuerKeys
    ) throws {
        self.settings = settings
        self.environment = environment
        store = opened.store
        close = opened.close
        server = AuthorizationServer(
            store: store, keySource: source, keys: keys, configuration: settings.server,
            hasher: try AuthorizationServer.hasher(), environment: environment)
    }
}

/// An open store. This is the only place that chooses one.
struct OpenStore {
    let store: any Store
    /// nil for a store that leaves the keys to files.
    let keys: (any KeyStore)?
    let close: @Sendable () -> Void

    /// - Parameters:
    ///   - making: whether to create the database or its tables.
    ///   - isCommand: whether a server logs and counts the events of this process.
    init(_ place: StorePlace, making: Bool, isCommand: Bool) throws {
        switch place {
        case .sqlite(let path):
            let sqlite = try SQLiteStore(path: path, making: making, as: isCommand ? .command : .server)
            (store, keys, close) = (sqlite, nil, { sqlite.close() })
        case .postgres(let address):
            let postgres = try PostgresStore(address, making: making, as: isCommand ? .command : .server)
            (store, keys, close) = (postgres, postgres, { postgres.close() })
        }
    }
}
