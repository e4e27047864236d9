import CloakroomCore
import CloakroomEndpoints
import CloakroomSQLite
import CloakroomService

/// One Cloakroom put together from the settings. The only place that picks a store.
struct Instance {
    let settings: Settings
    let environment = Environment.system
    let store: SQLiteStore
    let keyFiles: KeyFiles
    let server: AuthorizationServer

    var service: SessionService { server.service }

    init(_ settings: Settings) throws {
        self.settings = settings
        keyFiles = KeyFiles(directory: try DataDirectory(settings.dataDirectory), environment: environment)
        store = try SQLiteStore(path: settings.databasePath)
        server = try AuthorizationServer(
            store: store, keys: keyFiles, configuration: settings.server, hasher: AuthorizationServer.hasher(),
            environment: environment)
    }
}
