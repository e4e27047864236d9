public import CloakroomCore

/// Keeps what may be used once: links in mail, challenges of passkeys, the state of a login at another provider, codes
/// that were shown.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol OneTimeStore: Sendable {
    /// Keeps the entry until it expires.
    /// - Returns: false, with nothing changed, when there is a live entry of this key: a code that was used before.
    func put(_ entry: OneTimeEntry, at now: Instant) async throws -> Bool

    /// Removes the entry. Of callers that ask at the same time one gets it.
    /// - Returns: its value; nil when there is none, or when it has expired.
    func take(_ key: OneTimeKey, at now: Instant) async throws -> [UInt8]?
}

/// Names an entry: what it is for, and a digest of the secret that the person holds. The store never sees the secret.
public struct OneTimeKey: Hashable, Sendable {
    /// What the entry is for, such as `password_reset`: an entry of one purpose is never taken for another.
    public let purpose: String
    /// The SHA-256 of the secret.
    public let digest: [UInt8]

    /// The name of an entry.
    public init(purpose: String, digest: [UInt8]) {
        self.purpose = purpose
        self.digest = digest
    }
}

/// Something that may be used once.
public struct OneTimeEntry: Hashable, Sendable {
    /// Its name.
    public let key: OneTimeKey
    /// What its user gets.
    public let value: [UInt8]
    /// From when on it is gone.
    public let expiresAt: Instant

    /// An entry.
    public init(key: OneTimeKey, value: [UInt8], expiresAt: Instant) {
        self.key = key
        self.value = value
        self.expiresAt = expiresAt
    }
}

/// A store of everything.
public typealias Store = AccountStore & OneTimeStore & SessionStore
