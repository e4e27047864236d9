import CloakroomTokens

/// The id of an account at its authenticators (WebAuthn Level 3 section 14.6.1): random, the same for the life of the
/// account, and never its subject or address. Authenticators return it without any verification of the user.
package struct UserHandle: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// nil for a length other than 1 to 64 bytes (section 5.4.3).
    package init?(_ bytes: [UInt8]) {
        guard 1...64 ~= bytes.count else { return nil }
        self.bytes = bytes
    }

    /// As in the JSON of ceremonies: base64url.
    package var description: String { Base64URL.encode(bytes) }
}
