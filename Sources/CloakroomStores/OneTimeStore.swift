public import CloakroomCore

/// Saves entries that may be used once: links in mail, challenges of passkeys, the state of a login at another
/// provider, codes that a user already presented.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol OneTimeStore: Sendable {
    /// Keeps the entry until it expires.
    /// - Returns: false, with nothing changed, if a live entry of this key exists: the code was used before.
    func put(_ entry: OneTimeEntry, at now: Instant) async throws -> Bool

    /// Removes the entry. If several callers take it at the same time, exactly one gets the value.
    /// - Returns: its value; nil when there is none, or when it has expired.
    func take(_ key: OneTimeKey, at now: Instant) async throws -> [UInt8]?
}

/// The key of an entry: its purpose, and a digest of the secret that the user holds. The store never sees the secret.
public struct OneTimeKey: Hashable, Sendable {
    /// The purpose, such as `password_reset`: a secret of one purpose does not find an entry of another.
    public let purpose: String
    /// The SHA-256 of the secret.
    public let digest: [UInt8]

    package init(purpose: String, digest: [UInt8]) {
        self.purpose = purpose
        self.digest = digest
    }
}

/// An entry that may be taken once.
public struct OneTimeEntry: Hashable, Sendable {
    /// Unique among live entries.
    public let key: OneTimeKey
    /// The bytes that `take` returns.
    public let value: [UInt8]
    /// From this time on, the entry does not exist.
    public let expiresAt: Instant

    package init(key: OneTimeKey, value: [UInt8], expiresAt: Instant) {
        self.key = key
        self.value = value
        self.expiresAt = expiresAt
    }
}

/// A store that implements all protocols.
public typealias Store = AccountStore & CredentialStore & OneTimeStore & SessionStore & SubjectStore
