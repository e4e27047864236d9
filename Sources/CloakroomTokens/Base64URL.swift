/// Base64url without padding, in its one canonical form (RFC 4648 section 5, RFC 7515 section 2).
///
/// Decoding refuses every second encoding of the same bytes (padding, white space, the other alphabet, non-zero
/// trailing bits): several strings for one token would defeat code that compares tokens as text.
package enum Base64URL {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: encodedBytes(bytes), as: UTF8.self)
    }

    package static func encodedBytes(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count * 4 + 2) / 3)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                output.append(alphabet[Int(buffer >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { output.append(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
        return output
    }

    /// The six bits of a character; 64 or more for a character that is not in the alphabet.
    static func digit(_ character: UInt8) -> UInt8 { values[Int(character)] }

    static func character(_ digit: UInt8) -> UInt8 { alphabet[Int(digit)] }

    /// The bytes, or nil for anything but the canonical form.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var output = [UInt8](repeating: 0, count: text.count * 3 / 4)
        var (buffer, bits, count) = (UInt32(0), UInt32(0), 0)
        for character in text {
            let value = values[Int(character)]
            guard value < 64 else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            output[count] = UInt8(truncatingIfNeeded: buffer >> bits)
            count += 1
            buffer &= (1 << bits) - 1
        }
        return buffer == 0 ? output : nil
    }

    package static func decode(_ text: String) -> [UInt8]? {
        decode(text.utf8)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}
