import CloakroomCore

/// The bits of an id of the issuer: 24 characters in base64url.
///
/// The first 48 are random, with a zero at the front. The next 72 name a status list, and the last 24 are the index in it
/// (decision 0029).
struct SessionBits: Hashable, Sendable {
    private let high: UInt64
    private let middle: UInt64
    let low: UInt32

    /// nil for every other text. No two texts have the same bits.
    init?(_ session: SessionID) {
        var text = session.rawValue
        let parts = text.withUTF8 { bytes -> (UInt64, UInt64, UInt64)? in
            guard bytes.count == 24, let high = Base64URL.bits(bytes[..<10]),
                let middle = Base64URL.bits(bytes[10..<20]),
                let low = Base64URL.bits(bytes[20...])
            else { return nil }
            return (high, middle, low)
        }
        guard let parts else { return nil }
        (high, middle, low) = (parts.0, parts.1, UInt32(parts.2))
    }

    var session: SessionID {
        SessionID(
            Base64URL.characters(high, count: 10) + Base64URL.characters(middle, count: 10)
                + Base64URL.characters(UInt64(low), count: 4))
    }

    /// nil if the id was not made by `StatusListEntry`: its last bits are then no index of a list.
    var statusListEntry: StatusListEntry? {
        guard let index = UInt16(exactly: low) else { return nil }
        return StatusListEntry(list: StatusListID(high: UInt16(high & 0xFFF), low: middle), index: index)
    }
}

extension Base64URL {
    /// The bits that at most ten characters spell; nil if one is not in the alphabet.
    static func bits(_ characters: some Sequence<UInt8>) -> UInt64? {
        var bits: UInt64 = 0
        for character in characters {
            let digit = digit(character)
            guard digit < 64 else { return nil }
            bits = bits << 6 | UInt64(digit)
        }
        return bits
    }

    /// The characters that spell the last `6 * count` bits.
    static func characters(_ bits: UInt64, count: Int) -> String {
        String(decoding: (0..<count).map { character(UInt8(bits >> (6 * (count - 1 - $0)) & 63)) }, as: UTF8.self)
    }
}
