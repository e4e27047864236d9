import CloakroomCore
public import CloakroomStores

/// What every store must do, as a list of checks that a store runs on itself:
///
/// ```swift
/// @Test("the store passes the contract", arguments: StoreContract.checks)
/// func contract(_ check: StoreContract.Check) async throws {
///     try await check.run(MyStore())
/// }
/// ```
public enum StoreContract {
    /// One check. Each needs an empty store of its own.
    public struct Check: Sendable, CustomStringConvertible {
        /// The requirement, as a sentence.
        public let sentence: String
        let body: @Sendable (any Store) async throws -> Void

        /// Runs the check on an empty store.
        /// - Throws: `Violation`, and the errors of the store.
        public func run(_ store: any Store) async throws {
            try await body(store)
        }

        /// The same as `sentence`.
        public var description: String { sentence }
    }

    /// A requirement that the store does not meet.
    public struct Violation: Error, CustomStringConvertible {
        /// What the check found instead, or the value that was wrong.
        public let description: String
    }

    /// All checks, in the order of the contract's parts.
    public static let checks =
        sessionChecks + limitChecks + revocationChecks + feedChecks + accountChecks + subjectChecks + credentialChecks
        + oneTimeChecks + handOverChecks + sweepChecks + operationChecks + eventChecks

    static let now = TestEnvironment.start
    static let policy = SessionPolicy()

    static func check(
        _ sentence: String, _ body: @escaping @Sendable (any Store) async throws -> Void
    ) -> Check {
        Check(sentence: sentence, body: body)
    }

    static func demand(_ condition: Bool, _ what: String) throws {
        guard condition else { throw Violation(description: what) }
    }

    static func account(_ name: String) throws -> Account {
        guard let email = EmailAddress(parsing: "\(name)@example.com") else { throw Violation(description: name) }
        return Account(
            subject: Subject("u_\(name)"), email: email, passwordHash: PasswordHash(phc: "hash of \(name)"),
            createdAt: now)
    }

    static func session(
        _ id: String, of name: String = "ann", at time: Instant = now, from address: String = "2001:db8::1"
    ) -> Session {
        Session(
            id: SessionID(id), subject: Subject("u_\(name)"), secret: Secret(Array(id.utf8)), refreshKey: "k0",
            details: Session.Details(
                client: .browser, remembered: true, userAgent: "Mozilla/5.0 (\u{1F600})",
                address: address, evidence: Evidence(.password, at: time)),
            at: time, under: policy)
    }

    /// Adds accounts with these names, and these sessions, which belong to the first account.
    static func fill(
        _ store: any Store, accounts: [String] = ["ann"], sessions: [Session] = []
    ) async throws {
        for name in accounts {
            try demand(try await store.add(try account(name), recording: []) != nil, "adding \(name)")
        }
        for session in sessions {
            try demand(try await begin(session, in: store) != nil, "beginning \(session.id)")
        }
    }

    /// Begins a session.
    /// - Returns: the events of the sessions that ended because of it; nil when it did not begin.
    @discardableResult
    static func begin(
        _ session: Session, credentialVersion: Int? = 0, replacing: SessionID? = nil, maximumSessions: Int = 1000,
        in store: any Store
    ) async throws -> [SecurityEvent]? {
        try await store.begin(
            SessionStart(
                session, credentialVersion: credentialVersion, replacing: replacing, maximumSessions: maximumSessions,
                policy: policy), recording: [])?.events
    }

    /// Ends all selected sessions, in a single step of up to 1000.
    static func revoke(
        _ selection: SessionSelection, _ reason: RevocationReason = .logout, in store: any Store
    ) async throws -> [Revoked] {
        try await store.revoke(selection, reason: reason, at: now, after: nil, limit: 1000).revoked
    }

    /// The value of a commit, without publishing its events and revocations.
    static func value<Value>(_ committed: Committed<Value>?) -> Value? {
        committed?.publish { _, _ in }
    }

    static func page(_ limit: Int = 1000, after cursor: SessionCursor? = nil, at time: Instant = now) -> SessionPage {
        SessionPage(after: cursor, limit: limit, at: time, under: policy)
    }
}
