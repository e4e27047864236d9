import Foundation
import HTTPTypes

/// Reads `Cookie` headers as bytes.
///
/// Splits at `;`, trims only SP and HTAB, compares names exactly, and gives quotes and `$Version` no meaning. A parser
/// that trims Unicode white space would take a sibling host's `\u{2000}__Host-Http-session` for our cookie, which
/// bypasses the browser's prefix rule (`docs/cookies.md`).
enum CookieHeader {
    /// Every value under the name, in order, from all `Cookie` headers.
    static func values(named name: String, in headers: HTTPFields) -> [[UInt8]] {
        var name = name
        return name.withUTF8 { name in
            var values: [[UInt8]] = []
            for field in headers where field.name == .cookie {
                field.withUnsafeBytesOfValue { collect(name, in: $0, into: &values) }
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
                collect(name, in: header, into: &values)
                return values
            }
        }
    }

    /// Every value under the name in the bytes of one such header.
    static func values(named name: String, in header: UnsafeRawBufferPointer) -> [[UInt8]] {
        var name = name
        return name.withUTF8 { name in
            var values: [[UInt8]] = []
            header.withMemoryRebound(to: UInt8.self) { collect(name, in: $0, into: &values) }
            return values
        }
    }

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    private static func collect(
        _ name: Bytes, in header: Bytes, into values: inout [[UInt8]]
    ) {
        var start = 0
        while start < header.count {
            let end = endOfPair(in: header, from: start)
            let pair = trimmed(header, start..<end)
            start = end + 1
            guard pair.count > name.count, header[pair.lowerBound + name.count] == UInt8(ascii: "="),
                isEqual(name, header, at: pair.lowerBound)
            else { continue }
            values.append(Array(header[pair].dropFirst(name.count + 1)))
        }
    }

    /// With `memchr`: a session cookie has several hundred bytes, and each check searches all of them.
    private static func endOfPair(in header: Bytes, from start: Int) -> Int {
        guard let base = header.baseAddress,
            let found = memchr(base + start, Int32(UInt8(ascii: ";")), header.count - start)
        else { return header.count }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// The header has at least as many bytes behind `start` as the name.
    private static func isEqual(_ name: Bytes, _ header: Bytes, at start: Int) -> Bool {
        guard let one = name.baseAddress, let other = header.baseAddress else { return name.isEmpty }
        return memcmp(one, other + start, name.count) == 0
    }

    private static func trimmed(_ header: Bytes, _ range: Range<Int>) -> Range<Int> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(header[start]) { start += 1 }
        while end > start, isBlank(header[end - 1]) { end -= 1 }
        return start..<end
    }
}
