import HTTPTypes

/// Reads `Cookie` headers as bytes.
///
/// Split at `;`, only SP and HTAB trimmed, names compared exactly, quotes and `$Version` without meaning: a parser that
/// trims Unicode white space takes a sibling host's `\u{2000}__Host-Http-session` for ours, past the browser's prefix
/// rule (`docs/cookies.md`).
enum CookieHeader {
    /// Every value under the name, in order, from all `Cookie` headers.
    static func values(named name: String, in headers: HTTPFields) -> [[UInt8]] {
        var name = name
        return name.withUTF8 { name in
            var values: [[UInt8]] = []
            for field in headers where field.name == .cookie {
                field.withUnsafeBytesOfValue { collect(name, in: $0[...], into: &values) }
            }
            return values
        }
    }

    /// Every value under the name in one such header.
    static func values(named name: String, in header: String) -> [[UInt8]] {
        var (name, header) = (name, header)
        return name.withUTF8 { name in
            header.withUTF8 { header in
                var values: [[UInt8]] = []
                collect(name, in: header[...], into: &values)
                return values
            }
        }
    }

    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    private static func collect(
        _ name: UnsafeBufferPointer<UInt8>, in header: Bytes, into values: inout [[UInt8]]
    ) {
        var rest = header
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
            let pair = trimmed(rest[..<end])
            rest = rest[end...].dropFirst()
            guard pair.count > name.count, pair[pair.startIndex + name.count] == UInt8(ascii: "="),
                pair.starts(with: name)
            else { continue }
            values.append(Array(pair.dropFirst(name.count + 1)))
        }
    }

    private static func trimmed(_ bytes: Bytes) -> Bytes {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let start = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
        return bytes[start..<end]
    }
}
