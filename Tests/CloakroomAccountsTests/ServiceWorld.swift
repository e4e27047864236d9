import CloakroomAccounts
import CloakroomCore
import CloakroomSQLite
import CloakroomSessions
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Foundation
import GRDB
import Logging
import Synchronization
import Testing

/// The store under a service.
enum StoreKind: String, CaseIterable, Sendable {
    case inMemory
    case sqlite
}

/// A service over a store, with a clock that the test moves and a log that it can read.
final class ServiceWorld: Sendable {
    let time = TestEnvironment()
    let store: any Store
    let sessions: SessionService
    let accounts: AccountService
    let log = CapturedLog()
    /// The path of the SQLite database; nil for the store in memory.
    let file: String?
    private let directory: String?
    private let record: @Sendable () throws -> [SecurityEvent]

    static let password = "correct horse battery"
    static let device = Device(userAgent: "Test/1.0", address: "192.0.2.1")

    /// - Parameter wrap: wraps the store of the service.
    init(
        _ kind: StoreKind = .inMemory, policy: SessionPolicy = SessionPolicy(), clients: [Client] = [],
        failedLoginsPerMinute: Int? = nil, signUpsPerHour: Int? = nil, maximumSessions: Int = 100,
        queueLimit: Int = 64, wrap: (any Store) -> any Store = { $0 }
    ) throws {
        let (log, time) = (log, time)
        let plain: any Store
        switch kind {
        case .inMemory:
            let memory = InMemoryStore()
            (plain, record, directory, file) = (memory, { memory.events }, nil, nil)
        case .sqlite:
            let path = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID())")
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            let file = path.appending(path: "test.sqlite").path
            plain = try SQLiteStore(path: file)
            directory = path.path
            self.file = file
            record = { try Self.events(in: file) }
        }
        store = wrap(plain)
        let keys = LiveKeys(
            try IssuerKeys(
                signing: [.init(key: SigningKey.generate(.es256), createdAt: time.now, signsFrom: time.now)],
                refresh: [
                    .init(
                        key: RefreshKey(id: "r1", secret: Secret([UInt8](repeating: 7, count: 32))), createdAt: time.now
                    )
                ]))
        sessions = SessionService(
            store: store, issuer: TokenIssuer(issuer: "iss", audience: "aud", keys: keys),
            verifier: TokenVerifier(
                issuer: "iss", audience: "aud", policy: policy, keys: keys.current.verifierKeys,
                revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
                checkRefresh: { half throws(TokenFault) in
                    try keys.current.read(refreshToken: half.bytes.bytes).session
                }),
            policy: policy, clients: clients, maximumSessions: maximumSessions,
            log: SecurityLog(logger: Logger(label: "test") { _ in log }, uptime: time.environment.uptime),
            environment: time.environment)
        accounts = AccountService(
            store: store, sessions: sessions,
            hasher: try PasswordHasher(
                cost: PasswordHashCost(memoryKiB: 1024, passes: 1), threads: 1, queueLimit: queueLimit),
            isSignUpOpen: true, failedLoginsPerMinute: failedLoginsPerMinute, signUpsPerHour: signUpsPerHour)
    }

    deinit {
        if let directory { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// The input of a login.
    struct Login: Sendable {
        var email: EmailAddress
        var password: Password
        var client: ClientID?
        var device: Device
        var isFromBrowser: Bool
        var replacing: RefreshToken?
    }

    func login(
        _ name: String = "ann", password: String = password, client: String? = nil, from address: String = "192.0.2.1",
        isFromBrowser: Bool = true, replacing: RefreshToken? = nil
    ) throws -> Login {
        Login(
            email: try #require(EmailAddress(parsing: "\(name)@example.com")),
            password: try #require(Password(password)),
            client: client.map { ClientID($0) }, device: Device(userAgent: "Test/1.0", address: address),
            isFromBrowser: isFromBrowser, replacing: replacing)
    }

    func logIn(_ login: Login) async throws -> SessionGrant {
        let request = try request(login)
        let proof = try await accounts.prove(
            login.email, login.password, from: login.device, holding: login.replacing)
        return try await sessions.begin(proof, request)
    }

    func signUp(_ login: Login) async throws -> SessionGrant {
        let request = try request(login)
        let proof = try await accounts.signUp(login.email, login.password, from: login.device)
        return try await sessions.begin(proof, request)
    }

    private func request(_ login: Login) throws -> SessionRequest {
        try sessions.request(
            client: login.client, device: login.device, isFromBrowser: login.isFromBrowser,
            replacing: login.replacing)
    }

    @discardableResult
    func signUp(_ name: String = "ann", from address: String = "192.0.2.1") async throws -> SessionGrant {
        try await signUp(login(name, from: address))
    }

    func stepUp(
        _ presented: SessionService.Presented, password: Password, from device: Device
    ) async throws -> SessionGrant {
        let proof = try await accounts.prove(password, ofOwnerOf: presented, from: device)
        return try await sessions.stepUp(presented, with: proof)
    }

    /// The refresh token of a grant, as the server reads it.
    func token(_ grant: SessionGrant) throws -> RefreshToken {
        let tokens = try #require(grant.tokens)
        return try sessions.read(refreshToken: tokens.refresh.bytes, at: .login)
    }

    func livingSessions(of grant: SessionGrant) async throws -> [Session] {
        try await sessions.sessions(.ofSubject(grant.session.subject, except: nil), limit: 100).sessions
    }

    /// All recorded events, oldest first.
    var events: [SecurityEvent] {
        get throws { try record() }
    }

    func events(_ kind: SecurityEvent.Kind) throws -> Int {
        try events.filter { $0.kind == kind }.count
    }

    private static func events(in file: String) throws -> [SecurityEvent] {
        try DatabaseQueue(path: file).read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM events ORDER BY position").map { row in
                SecurityEvent(
                    SecurityEvent.Kind(rawValue: row["kind"]), at: Instant(milliseconds: row["time"]),
                    subject: (row["subject"] as String?).map { Subject($0) },
                    session: (row["session"] as String?).map { SessionID($0) }, address: row["address"],
                    details: try (row["details"] as Data?).map {
                        try JSONDecoder().decode(SecurityEvent.Details.self, from: $0)
                    } ?? .init())
            }
        }
    }
}

/// The denial that `work` throws; nil if it throws none.
func denial(_ work: () async throws -> some Any) async -> Denial? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error as? Denial
    }
}
