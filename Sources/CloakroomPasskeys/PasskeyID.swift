import CloakroomTokens

/// A credential id (WebAuthn Level 3 section 4): the name that an authenticator gave to a passkey, 1 to 1023 bytes.
package struct PasskeyID: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// nil for a length that no authenticator may use (section 7.1 step 25).
    package init?(_ bytes: [UInt8]) {
        guard 1...1023 ~= bytes.count else { return nil }
        self.bytes = bytes
    }

    /// As in the JSON of ceremonies: base64url.
    package var description: String { Base64URL.encode(bytes) }
}
