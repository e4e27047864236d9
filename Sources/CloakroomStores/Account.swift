public import CloakroomCore

/// A user's account, as a store saves it.
public struct Account: Hashable, Sendable {
    /// The claim `sub` of its tokens.
    public let subject: Subject
    /// The address that the user logs in with.
    public let email: EmailAddress
    /// The Argon2id hash of the password.
    public let passwordHash: PasswordHash
    /// Counts the changes of the password and of `isDisabled`: a login that starts before a change must not succeed
    /// after it.
    public let credentialVersion: Int
    /// Whether the account may not log in.
    public let isDisabled: Bool
    /// When the account was created.
    public let createdAt: Instant

    /// Takes the saved fields.
    public init(
        subject: Subject, email: EmailAddress, passwordHash: PasswordHash, credentialVersion: Int = 0,
        isDisabled: Bool = false, createdAt: Instant
    ) {
        self.subject = subject
        self.email = email
        self.passwordHash = passwordHash
        self.credentialVersion = credentialVersion
        self.isDisabled = isDisabled
        self.createdAt = createdAt
    }
}
