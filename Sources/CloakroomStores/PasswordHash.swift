public import CloakroomCore

/// A password as it is stored: an Argon2id PHC string (RFC 9106).
public struct PasswordHash: Hashable, Sendable, CustomStringConvertible {
    /// The PHC string, for the store alone.
    public let phc: Secret

    /// Takes the PHC string that the store saved.
    public init(phc: String) {
        self.phc = Secret(Array(phc.utf8))
    }

    /// Never the hash.
    public var description: String { "<redacted>" }
}
