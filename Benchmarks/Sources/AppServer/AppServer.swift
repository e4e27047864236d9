import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomSessions
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// An app with Cloakroom as its middleware, and the routes of `HelloServer`.
@main
struct AppServer {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let port = arguments.first.flatMap({ Int($0) }), let path = arguments.last else {
            print("usage: AppServer PORT DATA_DIR")
            exit(64)
        }
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let data = try DataDirectory(path)
        var configuration = AuthorizationServer.Configuration(publicURL: WebOrigin(parsing: "http://localhost:\(port)"))
        configuration.issuer = "http://localhost"
        if let seconds = ProcessInfo.processInfo.environment["CLOAKROOM_ACCESS_TOKEN_LIFETIME"].flatMap({ Int64($0) }) {
            configuration.policy.accessTokenLifetime = .seconds(seconds)
        }
        let server = try AuthorizationServer(
            store: SQLiteStore(path: data.file("cloakroom.sqlite")), keys: KeyFiles(directory: data),
            configuration: configuration)
        let maintenance = Task { await server.maintain() }
        let router = Router(context: BasicSessionRequestContext.self)
        try addForeignTokens(to: router, data)
        router.addCloakroom(server)
        router.get("/hello") { _, _ in "hello" }
        router.get("/me") { _, context in try context.access.subject.rawValue }
        try await Application(
            router: router, server: .publicListener(server),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in
                print("listening")
                fflush(nil)
            }
        ).runService()
        maintenance.cancel()
    }

    /// Adds a route that verifies tokens of another issuer, in full at every request and never from the cache.
    private static func addForeignTokens(to router: Router<BasicSessionRequestContext>, _ data: DataDirectory) throws {
        let tokens = ForeignTokens(secret: CloakroomCore.Environment.system.random(32))
        let list = (0..<4000).map { tokens.token($0) + "\n" }.joined()
        try Data(list.utf8).write(to: URL(filePath: data.file("hs256-tokens")))
        let keys = try KeySet([tokens.key])
        router.get("/hs256") { request, _ -> HTTPResponse.Status in
            guard let value = request.headers.first(where: { $0.name == .authorization })?.value,
                value.utf8.starts(with: "Bearer ".utf8)
            else { return .unauthorized }
            let jws = try? VerifiedJWS.verify(Array(value.utf8.dropFirst(7)), with: keys)
            guard let expiry = try? jws?.claims()["exp"]?.integerValue,
                CloakroomCore.Environment.system.now().seconds < expiry
            else { return .unauthorized }
            return .noContent
        }
    }
}
