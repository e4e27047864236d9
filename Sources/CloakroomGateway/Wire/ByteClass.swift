/// The character classes of HTTP's grammar.
enum ByteClass {
    private static let tokens = bitmap(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    private static func bitmap(_ characters: StaticString) -> (UInt64, UInt64) {
        var map: (UInt64, UInt64) = (0, 0)
        for index in 0..<characters.utf8CodeUnitCount {
            let byte = characters.utf8Start[index]
            if byte < 64 { map.0 |= 1 << UInt64(byte) } else { map.1 |= 1 << UInt64(byte - 64) }
        }
        return map
    }

    /// Whether all bytes may stand in a method or a field name (RFC 9110 section 5.6.2).
    static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let map = tokens
        guard !bytes.isEmpty else { return false }
        for byte in bytes {
            let half = byte < 64 ? map.0 : map.1
            guard byte < 128, half >> UInt64(byte & 63) & 1 == 1 else { return false }
        }
        return true
    }

    static func isToken(_ byte: UInt8) -> Bool {
        withUnsafeBytes(of: byte) { isToken($0) }
    }

    /// Whether all bytes may stand in a field value.
    static func isFieldValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var isGood = true
        for byte in bytes { isGood = isGood && isFieldText(byte) }
        return isGood
    }

    /// Whether the byte may stand in a field value: no control character but HTAB (RFC 9110 section 5.5). Bytes above 7F
    /// pass unchanged.
    static func isFieldText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == 0x09
    }

    /// Whether the byte may stand in an authority of host and port. A user or percent-encoding is not accepted there.
    static func isOfAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    /// The value of a hexadecimal digit; nil for another character.
    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
