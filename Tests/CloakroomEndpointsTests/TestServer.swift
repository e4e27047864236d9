import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomService
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

/// A whole authorization server over a real database, with a clock that the test moves.
final class TestServer: Sendable {
    let server: AuthorizationServer
    let store: SQLiteStore
    private let clock: TestClock
    private let directory: String

    static let password = "correct horse battery"

    init(_ configure: (inout AuthorizationServer.Configuration) -> Void = { _ in }) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID())").path
        let clock = TestClock()
        self.clock = clock
        let environment = CloakroomService.Environment(
            now: { clock.now }, random: CloakroomService.Environment.system.random)
        let data = try DataDirectory(directory)
        store = try SQLiteStore(path: data.file("cloakroom.sqlite"))
        var configuration = AuthorizationServer.Configuration()
        configuration.isSignUpOpen = true
        configuration.failedLoginsPerMinute = nil
        configure(&configuration)
        let keys = KeyFiles(directory: data, environment: environment)
        server = AuthorizationServer(
            store: store, keys: keys, ring: try keys.open(configuration.signingAlgorithm), configuration: configuration,
            hasher: try PasswordHasher(cost: PasswordHashCost(memoryKiB: 1024, passes: 1), threads: 1),
            environment: environment)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func advance(_ span: Span) {
        clock.advance(span)
    }

    /// Runs `test` with a client of the server's router, in process.
    func run(_ test: @escaping @Sendable (Browser) async throws -> Void) async throws {
        let router = Router(context: BasicSessionRequestContext.self)
        router.addCloakroom(server)
        router.get("/mine") { _, context in try context.access.subject.rawValue }
        router.get("/app-error") { _, _ -> String in throw HTTPError(.conflict) }
        try await Application(router: router).test(.router) { try await test(Browser(client: $0)) }
    }
}

private final class TestClock: Sendable {
    private let time = Mutex(Instant(milliseconds: 1_800_000_000_000))

    var now: Instant { time.withLock { $0 } }

    func advance(_ span: Span) {
        time.withLock { $0 = $0 + span }
    }
}

/// A client with one cookie, which sends what a browser's own page would.
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

        /// The value of the session cookie that the answer sets.
        var cookie: String? {
            setCookies.first.map { String($0.prefix { $0 != ";" }.drop { $0 != "=" }.dropFirst()) }
        }
    }

    /// Sends a request and keeps the cookie that comes back.
    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ body: JSONValue? = nil, cookie: String? = nil,
        headers extra: HTTPFields = [:]
    ) async throws -> Answer {
        var headers: HTTPFields = [.userAgent: "TestBrowser/1.0"]
        if method != .get, method != .head { headers[.origin] = "http://localhost" }
        if let cookie = cookie ?? self.cookie { headers[.cookie] = "\(SessionCookie.name)=\(cookie)" }
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
