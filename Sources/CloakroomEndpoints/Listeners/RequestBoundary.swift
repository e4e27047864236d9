import Foundation
import NIOCore

/// Finds the positions in a stream of bytes where a request may end: after an empty line, which ends heads and
/// chunked bodies, and at the announced length of a body.
struct RequestBoundary {
    private var bodyBytesLeft = 0
    /// Whether only CR has come since the last LF.
    private var isLineEmpty = true

    /// Call it when a head has announced a body of `length` bytes.
    mutating func expectBody(of length: Int) {
        bodyBytesLeft = length
    }

    /// - Parameter bytes: what follows the last piece; not empty.
    /// - Returns: how many of them come before the next such place; all of them where there is none.
    mutating func lengthOfPiece(of bytes: UnsafeRawBufferPointer) -> Int {
        guard bodyBytesLeft == 0 else {
            let length = min(bodyBytesLeft, bytes.count)
            bodyBytesLeft -= length
            return length
        }
        var lineStart = 0
        while let lineEnd = Self.newline(in: bytes, from: lineStart) {
            let isEmpty = isLineEmpty && Self.isEmpty(bytes[lineStart..<lineEnd])
            isLineEmpty = true
            lineStart = lineEnd + 1
            if isEmpty { return lineStart }
        }
        isLineEmpty = isLineEmpty && Self.isEmpty(bytes[lineStart...])
        return bytes.count
    }

    private static func isEmpty(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        line.allSatisfy { $0 == UInt8(ascii: "\r") }
    }

    private static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress else { return nil }
        return memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start).map { UnsafeRawPointer($0) - base }
    }
}
