public import CloakroomCore
public import CloakroomTokens

/// Where accounts live. Each method is one atomic use case.
public protocol UserStore: Sendable {
    /// - Returns: false, with nothing changed, when the address is taken.
    func add(_ user: User, recording events: [SecurityEvent]) async throws -> Bool

    func user(_ email: EmailAddress) async throws -> User?
    func user(_ subject: Subject) async throws -> User?

    /// Every account, by address.
    func users() async throws -> [User]

    /// Replaces a hash by one of the same password with newer parameters; nothing else changes.
    func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws

    /// Sets the password and ends every session of the subject except `kept`, in one step: a thief who holds an old
    /// session must not outlive the change.
    /// - Returns: the sessions ended, or nil, with nothing changed, when the credential is not `credentialVersion` any
    ///   more.
    func changePassword(
        of subject: Subject, credentialVersion: Int, to hash: PasswordHash, keeping kept: SessionID?, at now: Instant
    ) async throws -> [Revoked]?

    /// Disables the account and ends every session of it, or enables it again.
    /// - Returns: the sessions ended, or nil when there is no such account.
    func setDisabled(_ isDisabled: Bool, _ subject: Subject, at now: Instant) async throws -> [Revoked]?
}
