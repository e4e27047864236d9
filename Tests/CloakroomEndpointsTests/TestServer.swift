import CloakroomAccounts
import CloakroomCore
import CloakroomFiles
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomSessions
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import CloakroomEndpoints

/// A complete authorization server over a real database, with clocks that the test advances.
final class TestServer: Sendable {
    let server: AuthorizationServer
    let keys: IssuerKeys
    private let environment: TestEnvironment
    private let directory: String

    static let password = "correct horse battery"

    /// - Parameter store: nil for a database of its own.
    init(
        store: (any Store)? = nil,
        _ configure: (inout AuthorizationServer.Configuration) -> Void = { _ in }
    ) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID())").path
        let clocks = TestEnvironment()
        environment = clocks
        let environment = CloakroomCore.Environment(
            now: { clocks.now }, uptime: { clocks.uptime }, random: CloakroomCore.Environment.system.random)
        let data = try DataDirectory(directory)
        var configuration = AuthorizationServer.Configuration()
        configuration.isSignUpOpen = true
        configuration.failedLoginsPerMinute = nil
        configuration.signUpsPerHour = nil
        configure(&configuration)
        let keyFiles = KeyFiles(directory: data, environment: environment)
        keys = try keyFiles.open(configuration.signingAlgorithm?.algorithm, under: configuration.policy)
        server = AuthorizationServer(
            store: try store ?? SQLiteStore(path: data.file("cloakroom.sqlite")), keySource: keyFiles, keys: keys,
            configuration: configuration, hasher: try PasswordHasher(cost: Self.cost, threads: 1),
            environment: environment, storePatience: .seconds(600))
    }

    static let cost = PasswordHashCost(memoryKiB: 1024, passes: 1)

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    var now: Instant { environment.now }
    var uptime: Duration { environment.uptime }

    /// Advances the wall clock and the monotonic clock.
    func advance(_ span: Span) {
        environment.advance(span)
    }

    /// The public router with an app's routes after the endpoints.
    /// - Parameter front: adds the app's middleware before the endpoints.
    func router(
        front: (Router<BasicSessionRequestContext>) -> Void = { _ in }
    ) -> Router<BasicSessionRequestContext> {
        let router = Router(context: BasicSessionRequestContext.self)
        front(router)
        router.addCloakroom(server)
        router.get("/mine") { _, context in try context.access.subject.rawValue }
        router.get("/app-error") { _, _ -> String in throw HTTPError(.conflict) }
        router.get("/app-failure") { _, _ -> String in throw AppFailure() }
        return router
    }

    struct AppFailure: Error {}

    func privateRouter() -> Router<PrivateRequestContext> {
        let router = Router(context: PrivateRequestContext.self)
        router.addPrivateEndpoints(server, host: "scrape.example", metrics: { "metrics\n" })
        return router
    }

    /// Runs `test` with a client of the server's public router, in process.
    func run(
        front: (Router<BasicSessionRequestContext>) -> Void = { _ in },
        _ test: @escaping @Sendable (Browser) async throws -> Void
    ) async throws {
        try await Application(router: router(front: front)).test(.router) { try await test(Browser(client: $0)) }
    }

    /// Runs `test` with the port of the server's public listener, and a client of it.
    func runPublicly(
        _ limits: ListenerLimits = ListenerLimits(),
        _ test: @escaping @Sendable (Int, Browser) async throws -> Void
    ) async throws {
        try await Application(router: router(), server: .publicListener(server, limits)).test(.live) { client in
            try await test(try #require(client.port), Browser(client: client))
        }
    }

    /// Runs `test` with the port of the server's private listener.
    func runPrivately(
        observing: @escaping @Sendable (Int, Duration) -> Void = { _, _ in },
        _ test: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let listener = HTTPServerBuilder { [server] in
            ListenerChannel.privateEndpoints(server, .init(), $0, observing: observing)
        }
        try await Application(router: privateRouter(), server: listener).test(.live) { client in
            try await test(try #require(client.port))
        }
    }
}

/// A client with one cookie, which sends the headers of a browser's same-origin page.
final class Browser: Sendable {
    private let client: any TestClientProtocol
    private let cookieValue = Mutex<String?>(nil)

    init(client: any TestClientProtocol) {
        self.client = client
    }

    var cookie: String? {
        get { cookieValue.withLock { $0 } }
        set { cookieValue.withLock { $0 = newValue } }
    }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String
        let json: JSONValue

        var code: String? { json.objectValue?["code"]?.stringValue }
        var session: JSONObject { json.objectValue?["session"]?.objectValue ?? [:] }
        var setCookies: [String] { headers[values: .setCookie] }

        /// The value of the session cookie that the response sets.
        var cookie: String? {
            setCookies.first.map { String($0.prefix { $0 != ";" }.drop { $0 != "=" }.dropFirst()) }
        }
    }

    /// Sends a request and stores the cookie of its response.
    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ body: JSONValue? = nil, cookie: String? = nil,
        headers extra: HTTPFields = [:]
    ) async throws -> Answer {
        var headers: HTTPFields = [.userAgent: "TestBrowser/1.0"]
        if method != .get, method != .head { headers[.origin] = "http://localhost" }
        if let cookie = cookie ?? self.cookie { headers[.cookie] = "\(SessionCookie.defaultName)=\(cookie)" }
        if body != nil { headers[.contentType] = "application/json" }
        for field in extra { headers[field.name] = field.value.isEmpty ? nil : field.value }
        let answer = try await client.execute(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0.serialized) })
        let bytes = Array(answer.body.readableBytesView)
        let result = Answer(
            status: answer.status.code, headers: answer.headers, text: String(decoding: bytes, as: UTF8.self),
            json: (try? JSONReader.read(bytes)) ?? .null)
        if let value = result.cookie { self.cookie = value.isEmpty ? nil : value }
        return result
    }

    @discardableResult
    func signUp(_ email: String = "ann@example.com") async throws -> Answer {
        try await send(.post, "/auth/signup", ["email": .string(email), "password": .string(TestServer.password)])
    }
}
