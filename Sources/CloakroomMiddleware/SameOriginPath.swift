/// Checks that a link stays on its own origin.
package enum SameOriginPath {
    /// Whether the text is a path of printable ASCII, without characters that some parser rewrites, and with percent
    /// signs only before two hexadecimal digits.
    package static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/"), bytes.count <= 4096 else { return false }
        return bytes.indices.allSatisfy { index in
            switch bytes[index] {
            case UInt8(ascii: "%"): isHexadecimal(bytes, index + 1) && isHexadecimal(bytes, index + 2)
            case UInt8(ascii: "\\"), UInt8(ascii: "#"): false
            case 0x21...0x7E: true
            default: false
            }
        }
    }

    /// Whether a browser that follows the path stays on the host. `//evil` and `/\evil` lead to another
    /// (CVE-2021-32786).
    package static func isSafe(_ text: String) -> Bool {
        isWellFormed(text) && !text.hasPrefix("//")
    }

    /// The text, percent-encoded for a query.
    package static func queryValue(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            let isPlain = byte < 0x80 && (character.isLetter || character.isNumber || "-._~/".contains(character))
            if isPlain { return String(character) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }

    private static func isHexadecimal(_ bytes: [UInt8], _ index: Int) -> Bool {
        bytes.indices.contains(index) && Character(Unicode.Scalar(bytes[index])).isHexDigit
    }
}
