public import CloakroomCore

/// Keeps accounts. Each method is one atomic use case.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol AccountStore: Sendable {
    /// - Returns: nil, with nothing changed, when the address is taken.
    func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>?

    func account(_ email: EmailAddress) async throws -> Account?

    /// The account, and whether sessions were started in this network before. An address without account takes the same
    /// queries, so that timing does not reveal which addresses have accounts.
    func account(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (account: Account?, network: NetworkFamiliarity)

    func account(_ subject: Subject) async throws -> Account?

    /// Every account, by address.
    func accounts() async throws -> [Account]

    /// Replaces a hash by one of the same password with newer parameters; nothing else changes.
    func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws

    /// Lets `decide` change the session of the request. If it agrees, sets the password and ends every other session of
    /// the subject, all in one step: a thief who holds an old session must lose it with the change, and a session that
    /// proves to be stolen must not change the password.
    ///
    /// The store saves the change that `decide` makes to the session in either case. `decide` must be pure: a store may
    /// run it again.
    /// - Returns: the value of `decide`; nil, with nothing changed, if the credential is no longer `credentialVersion`
    ///   or the session does not exist.
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

/// Which accounts have started sessions in a network before.
public enum NetworkFamiliarity: Hashable, Sendable, CaseIterable {
    case none
    /// Only accounts other than the one of the query.
    case others
    /// The account of the query.
    case own
}

/// A new password, valid only if the credential of the account is still the one that was checked.
public struct PasswordChange: Hashable, Sendable {
    /// The account.
    public let subject: Subject
    /// The credential that was checked.
    public let credentialVersion: Int
    /// The hash of the new password.
    public let hash: PasswordHash
    /// The time of the change.
    public let time: Instant

    package init(subject: Subject, credentialVersion: Int, hash: PasswordHash, time: Instant) {
        self.subject = subject
        self.credentialVersion = credentialVersion
        self.hash = hash
        self.time = time
    }
}
