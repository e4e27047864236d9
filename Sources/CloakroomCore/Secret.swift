/// Bytes that must never be printed: keys, session secrets, passwords.
///
/// Its descriptions are `<redacted>`, so that no log line or failed expectation can show it. `==` takes time that
/// depends only on the lengths of the two secrets.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret in the clear.
    public let bytes: [UInt8]

    /// Wraps bytes of any length, also none.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Compares in constant time.
    public static func == (one: Self, other: Self) -> Bool {
        constantTimeEqual(one.bytes, other.bytes)
    }

    /// Never the bytes.
    public var description: String { "<redacted>" }
    /// Never the bytes.
    public var debugDescription: String { "<redacted>" }
    /// Has no children, so that `dump` does not print the bytes.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Compares without stopping at the first difference, so that timing does not tell how much of a guess was right.
@inlinable
package func constantTimeEqual(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
