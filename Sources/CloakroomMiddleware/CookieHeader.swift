import HTTPTypes

/// Reads `Cookie` headers as bytes.
///
/// Split at `;`, only SP and HTAB trimmed, names compared exactly, quotes and `$Version` without meaning: a parser that
/// trims Unicode white space takes a sibling host's `\u{2000}__Host-Http-session` for ours, past the browser's prefix
/// rule (`docs/cookies.md`).
enum CookieHeader {
    /// Every value under the name, in order, from all `Cookie` headers.
    static func values(named name: String, in headers: HTTPFields) -> [[UInt8]] {
        let name = Array(name.utf8)
        return headers[fields: .cookie].flatMap { values(named: name, in: Array($0.value.utf8)) }
    }

    private static func values(named name: [UInt8], in header: [UInt8]) -> [[UInt8]] {
        header.split(separator: UInt8(ascii: ";")).compactMap { pair in
            let pair = trimmed(pair)
            guard pair.count > name.count, pair[pair.startIndex + name.count] == UInt8(ascii: "="),
                pair.prefix(name.count).elementsEqual(name)
            else { return nil }
            return Array(pair.dropFirst(name.count + 1))
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let start = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
        return bytes[start..<end]
    }
}
