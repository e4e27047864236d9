public import CloakroomCore

/// Keeps accounts. Each method is one atomic use case.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol AccountStore: Sendable {
    /// - Returns: nil, with nothing changed, when the address is taken.
    func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>?

    func account(_ email: EmailAddress) async throws -> Account?

    /// The account, and who has begun a session in this network before. An address without account costs the same
    /// look-ups.
    func account(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (account: Account?, network: NetworkFamiliarity)

    func account(_ subject: Subject) async throws -> Account?

    /// Every account, by address.
    func accounts() async throws -> [Account]

    /// Replaces a hash by one of the same password with newer parameters; nothing else changes.
    func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws

    /// Lets `decide` change the session that asks, and if it agrees sets the password and ends every other session of
    /// the subject, all in one step: a thief who holds an old session must not outlive the change, and a session that
    /// turns out to be stolen must not cause it.
    ///
    /// What `decide` did to its session is saved in either case. It must be pure: a store may run it again.
    /// - Returns: what was decided, or nil, with nothing changed, when the credential is not `credentialVersion` any more
    ///   or the session is gone.
    func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> Committed<Value>?

    /// Sets the password and ends every session of the subject, in one step.
    /// - Returns: nil, with nothing changed, when the credential is not `credentialVersion` any more.
    func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws -> Committed<Void>?

    /// Disables the account and ends every session of it, or enables it again.
    /// - Returns: nil when there is no such account.
    func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void>?
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
