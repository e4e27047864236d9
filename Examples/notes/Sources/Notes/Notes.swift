import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomSessions
import Hummingbird
import ServiceLifecycle
import Synchronization

/// A Hummingbird app with Cloakroom inside. `addCloakroom` adds sign-up, login, renewal and logout. The routes that are
/// added after it have the session of the request in their context.
@main
struct Notes {
    static func main() async throws {
        let server = try makeServer(directory: "notes-data")
        var app = Application(
            router: makeRouter(server), server: .publicListener(server),
            configuration: .init(address: .hostname("127.0.0.1", port: 8080)))
        app.addServices(Maintenance(server: server))
        try await app.runService()
    }

    static func makeServer(directory: String) throws -> AuthorizationServer {
        let data = try DataDirectory(directory)
        var configuration = AuthorizationServer.Configuration()
        configuration.isSignUpOpen = true
        return try AuthorizationServer(
            store: SQLiteStore(path: data.file("notes.sqlite")), keys: KeyFiles(directory: data),
            configuration: configuration)
    }

    static func makeRouter(_ server: AuthorizationServer) -> Router<BasicSessionRequestContext> {
        let notes = Mutex<[Subject: [String]]>([:])
        let router = Router(context: BasicSessionRequestContext.self)
        router.addCloakroom(server)
        router.get("/") { _, _ in "Anybody may read this." }

        let mine = router.group("/notes").add(middleware: RequireSession(now: server.now))
        mine.get { _, context in
            let subject = try context.access.subject
            return notes.withLock { $0[subject, default: []].joined(separator: "\n") }
        }
        mine.post { request, context in
            let subject = try context.access.subject
            let text = String(buffer: try await request.body.collect(upTo: 4096))
            notes.withLock { $0[subject, default: []].append(text) }
            return HTTPResponse.Status.created
        }
        // Deleting all notes needs a password that was entered within the last minute.
        mine.delete { _, context in
            let access = try context.access(
                requiring: StepUp(maximumAge: .minutes(1)), at: server.now())
            notes.withLock { $0[access.subject] = nil }
            return HTTPResponse.Status.noContent
        }
        return router
    }
}

/// The work of the server that must run beside the requests.
struct Maintenance: Service {
    let server: AuthorizationServer

    func run() async throws {
        await cancelWhenGracefulShutdown { await server.maintain() }
    }
}
