import CloakroomCore
public import CloakroomService
import CloakroomTokens

/// What every store must do, as a list of checks that a store runs on itself:
///
/// ```swift
/// @Test("the store keeps the contract", arguments: StoreContract.checks)
/// func contract(_ check: StoreContract.Check) async throws {
///     try await check.run(MyStore())
/// }
/// ```
public enum StoreContract {
    /// One promise. Each wants a store of its own, empty.
    public struct Check: Sendable, CustomStringConvertible {
        /// The promise, as a sentence.
        public let sentence: String
        let body: @Sendable (any SessionStore & UserStore) async throws -> Void

        /// - Throws: `Violation`, or what the store throws.
        public func run(_ store: any SessionStore & UserStore) async throws {
            try await body(store)
        }

        /// The promise.
        public var description: String { sentence }
    }

    /// A promise that was not kept.
    public struct Violation: Error, CustomStringConvertible {
        /// What was found instead.
        public let description: String
    }

    /// Every promise.
    public static let checks = sessionChecks + revocationChecks + userChecks + sweepChecks

    static let now = TestEnvironment.start
    static let policy = SessionPolicy()

    static func check(
        _ sentence: String, _ body: @escaping @Sendable (any SessionStore & UserStore) async throws -> Void
    ) -> Check {
        Check(sentence: sentence, body: body)
    }

    static func demand(_ condition: Bool, _ what: String) throws {
        guard condition else { throw Violation(description: what) }
    }

    static func user(_ name: String) throws -> User {
        guard let email = EmailAddress(parsing: "\(name)@example.com") else { throw Violation(description: name) }
        return User(
            subject: Subject("u_\(name)"), email: email, passwordHash: PasswordHash(phc: "hash of \(name)"),
            createdAt: now)
    }

    static func session(_ id: String, of name: String = "ann", at time: Instant = now) -> Session {
        Session(
            id: SessionID(id), subject: Subject("u_\(name)"), client: .browser, secret: Secret(Array(id.utf8)),
            refreshKey: "k0", remembered: true, userAgent: "Mozilla/5.0 (\u{1F600})", address: "2001:db8::1",
            authentication: .password(at: time), at: time, under: policy)
    }

    /// A store with these accounts, and these sessions of the first.
    static func fill(
        _ store: any SessionStore & UserStore, users: [String] = ["ann"], sessions: [Session] = []
    ) async throws {
        for name in users { try demand(try await store.add(try user(name), recording: []), "adding \(name)") }
        for session in sessions {
            let hasBegun = try await store.begin(session, credentialVersion: 0, replacing: nil, recording: [])
            try demand(hasBegun, "beginning \(session.id)")
        }
    }
}
