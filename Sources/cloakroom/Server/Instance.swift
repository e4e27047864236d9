import CloakroomCore
import CloakroomEndpoints
import CloakroomSQLite
import CloakroomService
import CloakroomTokens

/// One Cloakroom put together from the settings. The only place that picks a store.
struct Instance {
    let settings: Settings
    let environment = Environment.system
    let store: SQLiteStore
    let keyFiles: KeyFiles
    let server: AuthorizationServer

    var service: SessionService { server.service }

    /// What serves, with keys that are made at first start.
    static func serving(_ settings: Settings) throws -> Self {
        try Self(settings) { try $0.open(settings.server.signingAlgorithm) }
    }

    /// What looks after the data. It signs nothing, and so makes no keys: their algorithm is for the server to choose.
    static func administering(_ settings: Settings) throws -> Self {
        try Self(settings) { try $0.read() ?? $0.temporaryKeys() }
    }

    private init(_ settings: Settings, keys: (KeyFiles) throws -> IssuerKeys) throws {
        self.settings = settings
        keyFiles = KeyFiles(directory: try DataDirectory(settings.dataDirectory), environment: environment)
        store = try SQLiteStore(path: settings.databasePath)
        server = AuthorizationServer(
            store: store, keyFiles: keyFiles, keys: try keys(keyFiles), configuration: settings.server,
            hasher: try AuthorizationServer.hasher(), environment: environment)
    }
}
