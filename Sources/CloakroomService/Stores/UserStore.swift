public import CloakroomCore
public import CloakroomTokens

/// Where accounts live. Each method is one atomic use case.
public protocol UserStore: Sendable {
    /// - Returns: false, with nothing changed, when the address is taken.
    func add(_ user: User, recording events: [SecurityEvent]) async throws -> Bool

    func user(_ email: EmailAddress) async throws -> User?

    /// The account, and who has begun a session in this network before. An address without account costs the same
    /// look-ups.
    func user(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (user: User?, network: NetworkFamiliarity)

    func user(_ subject: Subject) async throws -> User?

    /// Every account, by address.
    func users() async throws -> [User]

    /// Replaces a hash by one of the same password with newer parameters; nothing else changes.
    func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws

    /// Lets `decide` change the session that asks, and if it agrees sets the password and ends every other session of
    /// the subject, all in one step: a thief who holds an old session must not outlive the change, and a session that
    /// turns out to be stolen must not cause it.
    ///
    /// What `decide` did to its session is saved in either case. It must be pure: a store may run it again.
    /// - Returns: what was decided and the sessions ended, or nil, with nothing changed, when the credential is not
    ///   `credentialVersion` any more or the session is gone.
    func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> (value: Value, revoked: [Revoked])?

    /// Sets the password and ends every session of the subject, in one step.
    /// - Returns: the sessions ended, or nil, with nothing changed, when the credential is not `credentialVersion` any
    ///   more.
    func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws -> [Revoked]?

    /// Disables the account and ends every session of it, or enables it again.
    /// - Returns: the sessions ended, or nil when there is no such account.
    func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> [Revoked]?
}

/// Who has begun a session in a network before.
public enum NetworkFamiliarity: Hashable, Sendable, CaseIterable {
    case none
    /// Other accounts than the one that is asked about.
    case others
    /// The account that is asked about.
    case own
}

/// A new password for an account whose credential is still the one that was checked.
public struct PasswordChange: Hashable, Sendable {
    /// Whose.
    public let subject: Subject
    /// The credential that was checked.
    public let credentialVersion: Int
    /// The new password, hashed.
    public let hash: PasswordHash
    /// When.
    public let time: Instant

    /// A change of a password.
    public init(subject: Subject, credentialVersion: Int, hash: PasswordHash, time: Instant) {
        self.subject = subject
        self.credentialVersion = credentialVersion
        self.hash = hash
        self.time = time
    }
}
