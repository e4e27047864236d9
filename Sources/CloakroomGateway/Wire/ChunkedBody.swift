/// Follows a chunked body (RFC 9112 section 7.1) and validates it, so that it can be passed on as it came.
///
/// The grammar is narrow: chunk extensions, white space, bare LF and more than 15 digits are refused. Servers disagree
/// about each of them, and a request hidden in the difference reaches the backend unchecked (CVE-2025-58056,
/// CVE-2025-55315, CVE-2025-43859).
struct ChunkedBody: Hashable, Sendable {
    struct Malformed: Error, Hashable, Sendable {}

    /// What a piece of the body means for the other side.
    struct Step: Hashable, Sendable {
        /// How many bytes of the piece are passed on as they came.
        var passed = 0
        /// How many bytes of the piece belong to this body.
        var consumed = 0
        /// Whether the empty line that ends the body comes after the passed bytes. The trailers between are dropped.
        var endsHere = false
    }

    private enum State: Hashable {
        case sizeStart, size, sizeNewline, data, dataReturn, dataNewline, trailerStart, trailer, trailerNewline
        case endNewline, complete
    }

    private var state = State.sizeStart
    private var left = 0
    private var digits = 0
    private var trailerBytes = 0
    private static let longestTrailers = 8192

    var isComplete: Bool { state == .complete }

    /// Whether the next byte would begin a chunk.
    var isBetweenChunks: Bool { state == .sizeStart }

    mutating func follow(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Step {
        var step = Step()
        while step.consumed < bytes.count, state != .complete {
            if state == .data {
                let length = min(left, bytes.count - step.consumed)
                left -= length
                step.consumed += length
                if left == 0 { state = .dataReturn }
            } else {
                try take(bytes[step.consumed])
                step.consumed += 1
            }
            if !isBehindData { step.passed = step.consumed }
        }
        step.endsHere = state == .complete
        return step
    }

    /// Whether what comes now is a trailer, or the empty line.
    private var isBehindData: Bool {
        switch state {
        case .sizeStart, .size, .sizeNewline, .data, .dataReturn, .dataNewline: false
        // At its start the line `0` was just passed.
        case .trailerStart: trailerBytes > 0
        case .trailer, .trailerNewline, .endNewline, .complete: true
        }
    }

    private mutating func take(_ byte: UInt8) throws(Malformed) {
        switch state {
        case .sizeStart, .size: try takeSize(byte)
        case .sizeNewline:
            try require(byte, "\n")
            (state, digits) = (left == 0 ? .trailerStart : .data, 0)
        case .dataReturn:
            try require(byte, "\r")
            state = .dataNewline
        case .dataNewline:
            try require(byte, "\n")
            state = .sizeStart
        case .trailerStart, .trailer: try takeTrailer(byte)
        case .trailerNewline:
            try require(byte, "\n")
            state = .trailerStart
        case .endNewline:
            try require(byte, "\n")
            state = .complete
        case .data, .complete: throw Malformed()
        }
    }

    private mutating func takeSize(_ byte: UInt8) throws(Malformed) {
        if state == .size, byte == UInt8(ascii: "\r") {
            state = .sizeNewline
            return
        }
        guard let digit = ByteClass.hexadecimal(byte), digits < 15 else { throw Malformed() }
        digits += 1
        left = left << 4 | Int(digit)
        state = .size
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(Malformed) {
        if byte == UInt8(ascii: "\r") {
            state = state == .trailerStart ? .endNewline : .trailerNewline
            return
        }
        trailerBytes += 1
        guard trailerBytes <= Self.longestTrailers, byte >= 0x20 && byte != 0x7F || byte == 0x09 else {
            throw Malformed()
        }
        state = .trailer
    }

    private func require(_ byte: UInt8, _ expected: Unicode.Scalar) throws(Malformed) {
        guard byte == UInt8(ascii: expected) else { throw Malformed() }
    }
}
