import CloakroomCore
import CloakroomService
import CloakroomTesting
import CloakroomTokens
import Logging
import Synchronization
import Testing

/// A service over an in-memory store, with a clock that the test moves and a log that it can read.
final class ServiceWorld: Sendable {
    let time = TestEnvironment()
    let store = InMemoryStore()
    let service: SessionService
    let log = CapturedLog()

    static let password = "correct horse battery"
    static let device = SessionService.Device(userAgent: "Test/1.0", address: "192.0.2.1")

    init(
        policy: SessionPolicy = SessionPolicy(), clients: [Client] = [], failedLoginsPerMinute: Int? = nil,
        queueLimit: Int = 64
    ) throws {
        let log = log
        let ring = LiveKeyRing(
            try KeyRing(
                signing: [.init(key: SigningKey.generate(.es256), createdAt: time.now, signsFrom: time.now)],
                refresh: [
                    .init(
                        key: RefreshKey(id: "r1", secret: Secret([UInt8](repeating: 7, count: 32))), createdAt: time.now
                    )
                ]))
        service = SessionService(
            store: store, issuer: TokenIssuer(issuer: "iss", audience: "aud", ring: ring),
            verifier: TokenVerifier(
                issuer: "iss", audience: "aud", policy: policy, ring: ring,
                revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime)),
            hasher: try PasswordHasher(
                cost: PasswordHashCost(memoryKiB: 1024, passes: 1), threads: 1, queueLimit: queueLimit),
            policy: policy, clients: clients, isSignUpOpen: true, failedLoginsPerMinute: failedLoginsPerMinute,
            log: SecurityLog(logger: Logger(label: "test") { _ in log }), environment: time.environment)
    }

    func login(
        _ name: String = "ann", password: String = password, client: String? = nil, from address: String = "192.0.2.1",
        isFromBrowser: Bool = true, replacing: RefreshToken? = nil
    ) throws -> Login {
        Login(
            email: try #require(EmailAddress(parsing: "\(name)@example.com")),
            password: try #require(Password(password)),
            client: client.map { ClientID($0) }, device: .init(userAgent: "Test/1.0", address: address),
            isFromBrowser: isFromBrowser, replacing: replacing)
    }

    @discardableResult
    func signUp(_ name: String = "ann") async throws -> SessionGrant {
        try await service.signUp(login(name))
    }

    /// The refresh token of a grant, as the server reads it.
    func token(_ grant: SessionGrant) throws -> RefreshToken {
        let tokens = try #require(grant.tokens)
        return try service.verifier.verify(refreshToken: tokens.refresh.bytes)
    }

    func events(_ kind: SecurityEvent.Kind) -> Int {
        store.events.filter { $0.kind == kind }.count
    }
}

/// Keeps every log line as text.
final class CapturedLog: LogHandler, Sendable {
    private let captured = Mutex<[String]>([])

    var lines: [String] { captured.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        captured.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}

/// The denial that `work` throws, if it does.
func denial(_ work: () async throws -> some Any) async -> Denial? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error as? Denial
    }
}
