package import CloakroomCore

/// The name of a status list: 72 random bits, which its URI spells in 12 characters.
package struct StatusListID: Hashable, Sendable {
    private let high: UInt16
    private let low: UInt64

    init(high: UInt16, low: UInt64) {
        (self.high, self.low) = (high, low)
    }

    /// nil for anything but 12 characters of base64url.
    package init?(_ text: String) {
        guard text.utf8.count == 12, let high = Base64URL.bits(text.utf8.prefix(2)),
            let low = Base64URL.bits(text.utf8.dropFirst(2))
        else { return nil }
        self.init(high: UInt16(high), low: low)
    }

    package var text: String {
        Base64URL.characters(UInt64(high), count: 2) + Base64URL.characters(low, count: 10)
    }
}

/// The place of a session in a status list.
///
/// It is a part of the session's id: no store saves it, and every process that learns of a revocation knows which bit to
/// set (decision 0029).
package struct StatusListEntry: Hashable, Sendable {
    package let list: StatusListID
    package let index: UInt16

    init(list: StatusListID, index: UInt16) {
        (self.list, self.index) = (list, index)
    }

    /// nil if the id was not made by `session`.
    package init?(_ session: SessionID) {
        guard let entry = SessionBits(session)?.statusListEntry else { return nil }
        self = entry
    }

    /// The length of the arguments of `session`, in bytes.
    package static let (prefixSize, listSize) = (6, 9)

    /// The id of the session with this entry. It begins with a letter: `cloakroom sessions revoke` would parse an id that
    /// begins with a hyphen as an option, and with `-h` print its help and end nothing.
    /// - Parameters:
    ///   - prefix: random bytes. Without them an id could be guessed from the URI of its list.
    ///   - list: the random bytes that name the list.
    ///   - index: one that no other session of the list has.
    package static func session(prefix: [UInt8], list: [UInt8], index: UInt16) -> SessionID {
        SessionID(
            Base64URL.encode([prefix[0] & 0x7F] + prefix[1...] + list + [0, UInt8(index >> 8), UInt8(index & 0xFF)]))
    }
}
