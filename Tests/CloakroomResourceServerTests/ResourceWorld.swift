import CloakroomCore
import CloakroomMiddleware
import CloakroomTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization

@testable import CloakroomResourceServer
@testable import CloakroomTokens

/// An issuer, an app that verifies its tokens, and clocks that the test moves.
struct ResourceWorld {
    static let start = Instant(milliseconds: 1_800_000_000_000)

    let issuer: TestIssuer
    let client: any TestClientProtocol
    let log: CapturedLog
    let clocks: Clocks

    final class Clocks: Sendable {
        private let state = Mutex((now: ResourceWorld.start, uptime: Duration.seconds(1000)))

        var now: Instant { state.withLock { $0.now } }
        var uptime: Duration { state.withLock { $0.uptime } }

        func advance(_ span: Span) {
            state.withLock { state in
                state.now = state.now + span
                state.uptime += .milliseconds(span.milliseconds)
            }
        }

        func setWallClock(_ time: Instant) {
            state.withLock { $0.now = time }
        }
    }

    /// Runs `test` with an app whose service runs, too.
    /// - Parameters:
    ///   - stream: `listener` becomes the address of the issuer; nil for no stream.
    ///   - fault: of the issuer from the start.
    static func run(
        fault: TestIssuer.Fault? = nil, host: String? = nil, stream: ((_ listener: String) -> RevocationSource)? = nil,
        _ configure: (inout Timing) -> Void = { _ in }, _ test: @escaping @Sendable (Self) async throws -> Void
    ) async throws {
        let (issuer, log, clocks) = (try TestIssuer(), CapturedLog(), Clocks())
        issuer.fault = fault
        var timing = Timing()
        timing.now = { clocks.now }
        timing.uptime = { clocks.uptime }
        // No test waits for these, unless it sets them.
        (timing.refresh, timing.timeout, timing.silence) = (.seconds(600), .seconds(600), .seconds(600))
        (timing.retry, timing.reconnect) = (.milliseconds(1), .milliseconds(1))
        configure(&timing)
        try await issuer.serve { [timing] port in
            let server = try ResourceServer(
                issuer: TestIssuer.name, audience: TestIssuer.audience, host: host,
                jwks: "http://127.0.0.1:\(port)/.well-known/jwks.json",
                revocations: stream?("http://127.0.0.1:\(port)"), logger: Logger(label: "app") { _ in log },
                timing: timing)
            try await Application(router: router(server)).test(.router) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await server.run() }
                    try await test(Self(issuer: issuer, client: client, log: log, clocks: clocks))
                    issuer.fault = nil
                    group.cancelAll()
                }
            }
        }
    }

    private static func router(_ server: ResourceServer) -> Router<BasicSessionRequestContext> {
        let router = Router(context: BasicSessionRequestContext.self)
        router.addResourceServer(server)
        router.get("/public") { _, _ in "public" }
        router.group("/me").add(middleware: RequireSession(now: server.now)).get { _, context in
            let access = try context.access
            return "\(access.subject.rawValue) \(access.session.rawValue)"
        }
        router.group("/money").add(middleware: RequireSession(stepUp: .init(maximumAge: .minutes(1)), now: server.now))
            .get { _, _ in "money" }
        return router
    }

    /// A request with these values of `Authorization`.
    func get(_ path: String, _ authorization: String...) async throws -> TestResponse {
        var headers = HTTPFields()
        for value in authorization { headers.append(HTTPField(name: .authorization, value: value)) }
        return try await client.execute(uri: path, method: .get, headers: headers)
    }

    /// The status and the code of `/me` with a token; no code for a good one.
    func answer(_ token: String) async throws -> String {
        let response = try await get("/me", "Bearer \(token)")
        return "\(response.status.code)\(Self.code(response).map { " \($0)" } ?? "")"
    }

    static func code(_ response: TestResponse) -> String? {
        let object = try? JSONReader.read(Array(buffer: response.body)).objectValue
        return object?["code"]?.stringValue
    }

    /// An access token that the issuer signs now, with other claims.
    func token(type: String = "at+jwt", by key: SigningKey? = nil, _ changes: JSONObject = [:]) throws -> String {
        let now = clocks.now.seconds
        var claims: JSONObject = [
            "iss": .string(TestIssuer.name), "aud": .string(TestIssuer.audience), "sub": "u_ann",
            "client_id": "browser",
            "iat": .integer(now), "exp": .integer(now + 300), "jti": "1", "sid": "s1", "gen": 0,
            "auth_time": .integer(now), "acr": "1", "amr": ["pwd"],
        ]
        for change in changes.members { claims[change.name] = change.value }
        return String(decoding: try (key ?? issuer.key).sign(claims, type: type), as: UTF8.self)
    }

    /// Waits until the app has fetched its first key set.
    func waitForKeys() async throws {
        let token = try token()
        try await waitUntil { try await answer(token) != "503 unavailable" }
    }

    /// The lines of the log at level error.
    var errors: [String] { log.lines.filter { $0.hasPrefix("error") } }
}
