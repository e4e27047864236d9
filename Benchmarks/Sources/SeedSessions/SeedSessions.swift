import CloakroomAccounts
import CloakroomCore
import CloakroomFiles
import CloakroomSQLite
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Foundation

/// Fills a data directory with accounts and sessions, and writes a file of cookies from sessions spread over all of
/// them.
@main
struct SeedSessions {
    static let password = "correct horse battery"

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.dropFirst().map { Int($0) ?? -1 }
        guard let path = arguments.first, 3...4 ~= numbers.count, numbers.allSatisfy({ $0 >= 0 }), numbers[0] > 0,
            numbers[2] <= numbers[1] - (numbers.count > 3 ? numbers[3] : 0)
        else {
            print("usage: SeedSessions DATA_DIR USERS SESSIONS COOKIES [EXPIRED]")
            exit(64)
        }
        let seed = try Seed(path, users: numbers[0])
        try await seed.addUsers()
        try await seed.addSessions(
            numbers[1], expired: numbers.count > 3 ? numbers[3] : 0, cookies: numbers[2])
    }
}

private struct Seed {
    private let data: DataDirectory
    private let store: SQLiteStore
    private let issuer: TokenIssuer
    private let policy: SessionPolicy
    private let users: Int
    private let now = Environment.system.now()

    init(_ path: String, users: Int) throws {
        data = try DataDirectory(path)
        store = try SQLiteStore(path: data.file("cloakroom.sqlite"))
        let keys = try KeyFiles(directory: data).open(.es256)
        issuer = TokenIssuer(issuer: "http://localhost", audience: "http://localhost", keys: LiveKeys(keys))
        var policy = SessionPolicy()
        if let seconds = ProcessInfo.processInfo.environment["CLOAKROOM_ACCESS_TOKEN_LIFETIME"].flatMap({ Int64($0) }) {
            policy.accessTokenLifetime = .seconds(seconds)
        }
        self.policy = policy
        self.users = users
    }

    private func subject(_ number: Int) -> Subject { Subject("u_bench-\(number % users)") }

    /// Adds all accounts with the same password hash: to compute a hash for each would take hours.
    func addUsers() async throws {
        guard let password = Password(SeedSessions.password) else { return }
        let hash = try await PasswordHasher(threads: 1).hash(password)
        try await inParallel(users) { number in
            guard let email = EmailAddress(parsing: "bench-\(number)@example.com") else { return }
            _ = try await store.add(
                Account(
                    subject: subject(number), email: email, passwordHash: hash, credentialVersion: 0,
                    isDisabled: false, createdAt: now),
                recording: [])
        }
    }

    /// Adds sessions. The expired ones come first, and are old enough for every sweep to delete.
    func addSessions(_ count: Int, expired: Int, cookies: Int) async throws {
        let step = cookies > 0 ? (count - expired) / cookies : count
        let file = data.file("cookies")
        let values = try await inParallel(count) { number -> String? in
            let isExpired = number < expired
            let session = session(number, at: isExpired ? now - policy.absoluteLifetime - .days(2) : now)
            _ = try await store.begin(
                SessionStart(session, credentialVersion: 0, maximumSessions: .max, policy: policy), recording: [])
            guard !isExpired, cookies > 0, (number - expired) % step == 0 else { return nil }
            return try cookie(session)
        }
        let text = values.compactMap { $0 }.prefix(cookies).map { $0 + "\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: file))
        chmod(file, 0o600)
    }

    private func session(_ number: Int, at time: Instant) -> Session {
        Session(
            id: SessionID(Base64URL.encode(Environment.system.random(18))), subject: subject(number),
            secret: Secret(Environment.system.random(32)), refreshKey: issuer.keys.current.refreshKey(at: time).id,
            details: Session.Details(
                client: .browser, remembered: true,
                userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0",
                address: "203.0.113.7", evidence: Evidence(.password, at: time)),
            at: time, under: policy)
    }

    private func cookie(_ session: Session) throws -> String {
        let access = try issuer.accessToken(
            for: session, generation: session.generation, tokenID: Environment.system.random(16), at: now,
            under: policy)
        return SessionTokens.join(access: access.token, refresh: try issuer.refreshToken(for: session))
    }

    /// Runs as many writes at a time as fill a group.
    @discardableResult
    private func inParallel<Value: Sendable>(
        _ count: Int, _ work: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        let lanes = 256
        return try await withThrowingTaskGroup(of: [(Int, Value)].self) { group in
            for lane in 0..<min(lanes, count) {
                group.addTask {
                    var values: [(Int, Value)] = []
                    for number in stride(from: lane, to: count, by: lanes) {
                        values.append((number, try await work(number)))
                    }
                    return values
                }
            }
            let values = try await group.reduce(into: []) { $0 += $1 }
            return values.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
