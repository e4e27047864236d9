import Foundation

/// One header line of a head, as positions in its bytes.
struct FieldLine: Hashable, Sendable {
    let name: Range<Int>
    /// Without the white space around it.
    let value: Range<Int>
    /// The whole line with its CRLF.
    let line: Range<Int>
    let kind: HeaderKind
}

extension FieldLine {
    /// Whether a tab stands behind the value. llhttp, and so Node, takes it for a part of the value, which no other parser
    /// does (RFC 9112 section 5.1).
    func hasTabBehindValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[value.upperBound..<line.upperBound].contains(0x09)
    }
}

/// Finds the end of a head while its bytes arrive, so that each byte is looked at once.
struct HeadEnd: Sendable {
    private var lineStart = 0
    private var searched = 0

    /// Whether no byte of the head has been looked at.
    var isAtStart: Bool { searched == 0 }

    /// - Parameter bytes: everything since the beginning of the head.
    /// - Returns: the length of the head with its empty line; nil while it is incomplete.
    /// - Throws: `MalformedHead` for a line that does not end with CRLF. Proxies that accept a bare LF disagree with
    ///   backends about where a header ends (RFC 9112 section 2.2; CVE-2025-55315, CVE-2025-22871).
    mutating func find(in bytes: UnsafeRawBufferPointer) throws(MalformedHead) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        while let found = memchr(base + searched, Int32(UInt8(ascii: "\n")), bytes.count - searched) {
            let newline = UnsafeRawPointer(found) - base
            guard newline > lineStart, bytes[newline - 1] == UInt8(ascii: "\r") else { throw MalformedHead() }
            searched = newline + 1
            if newline - 1 == lineStart { return searched }
            lineStart = searched
        }
        searched = bytes.count
        return nil
    }
}

/// A head that does not follow the grammar of RFC 9112.
struct MalformedHead: Error, Hashable, Sendable {}

enum FieldLines {
    /// Splits the header lines of a head.
    /// - Parameters:
    ///   - bytes: the whole head, which `HeadEnd` has found.
    ///   - start: the end of the first line.
    /// - Throws: `MalformedHead` for a folded line, a line without colon or name, white space in or behind a name, and
    ///   control characters: each is read in different ways by different servers (RFC 9112 section 5).
    static func split(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(MalformedHead) -> [FieldLine] {
        var lines: [FieldLine] = []
        lines.reserveCapacity(24)
        var start = start
        while start < bytes.count - 2 {
            let end = try endOfLine(bytes, from: start)
            lines.append(try line(bytes, start..<end))
            start = end + 2
        }
        return lines
    }

    /// The position of the CRLF that ends the line.
    static func endOfLine(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(MalformedHead) -> Int {
        guard let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(UInt8(ascii: "\r")), bytes.count - start)
        else { throw MalformedHead() }
        let end = UnsafeRawPointer(found) - base
        guard end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "\n") else { throw MalformedHead() }
        return end
    }

    private static func line(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(MalformedHead) -> FieldLine {
        let line = UnsafeRawBufferPointer(rebasing: bytes[range])
        guard let base = line.baseAddress, let found = memchr(base, Int32(UInt8(ascii: ":")), line.count) else {
            throw MalformedHead()
        }
        let colon = UnsafeRawPointer(found) - base
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        var (start, end) = (colon + 1, line.count)
        while start < end, isBlank(line[start]) { start += 1 }
        while end > start, isBlank(line[end - 1]) { end -= 1 }
        guard ByteClass.isToken(name), ByteClass.isFieldValue(.init(rebasing: line[start..<end])) else {
            throw MalformedHead()
        }
        let offset = range.lowerBound
        return FieldLine(
            name: offset..<offset + colon, value: offset + start..<offset + end,
            line: offset..<range.upperBound + 2, kind: HeaderKind(name))
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }
}
