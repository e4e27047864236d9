import CloakroomCore
import CloakroomMiddleware
import CloakroomResourceServer
import Hummingbird

/// A Hummingbird app behind Cloakroom. It has no store and no private keys: it verifies the access token of each request.
@main
struct Notes {
    static func main() async throws {
        let environment = Environment()
        let server = try ResourceServer(
            issuer: environment.require("ISSUER"), jwks: environment.require("JWKS_URL"),
            revocations: environment.get("PRIVATE_LISTENER").map {
                try RevocationSource(privateListener: $0, key: environment.require("SERVICE_KEY"))
            })
        var app = Application(
            router: router(server),
            configuration: .init(address: .hostname("127.0.0.1", port: environment.get("PORT", as: Int.self) ?? 3000)))
        app.addServices(server)
        try await app.runService()
    }

    static func router(_ server: ResourceServer) -> Router<BasicSessionRequestContext> {
        let router = Router(context: BasicSessionRequestContext.self)
        router.addResourceServer(server)
        let notes = router.group("/notes").add(middleware: RequireSession(now: server.now))
        notes.get { _, context in
            let access = try context.access
            return ["sub": access.subject.rawValue, "sid": access.session.rawValue]
        }
        // Deleting all notes needs a password that was entered within the last minute.
        notes.delete { _, context in
            _ = try context.access(requiring: StepUp(maximumAge: .minutes(1)), at: server.now())
            return HTTPResponse.Status.noContent
        }
        return router
    }
}
