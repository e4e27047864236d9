public import CloakroomCore

/// An account.
public struct Account: Hashable, Sendable {
    /// The account's name in tokens.
    public let subject: Subject
    /// The address that logs in.
    public let email: EmailAddress
    /// The password, hashed.
    public let passwordHash: PasswordHash
    /// Counts the changes of the password and of `isDisabled`: a login that began before one must not end after it.
    public let credentialVersion: Int
    /// Whether the account may not log in.
    public let isDisabled: Bool
    /// When it was made.
    public let createdAt: Instant

    /// An account as a store keeps it.
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
