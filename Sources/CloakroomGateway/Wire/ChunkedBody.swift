/// Follows a chunked body (RFC 9112 section 7.1) and validates it, so that it can be passed on as it came.
///
/// The grammar is narrow: white space, bare LF, more than 15 digits and, in requests, chunk extensions are refused. Servers
/// disagree about each of them, and a request hidden in the difference reaches the backend unchecked (CVE-2025-58056,
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
        case sizeStart, size, sizeExtension, sizeNewline, data, dataReturn, dataNewline
        case trailerStart, trailerName, trailerValue, trailerNewline, endNewline, complete
    }

    private var state = State.sizeStart
    /// How many bytes of data the chunks so far have announced, without their framing.
    private(set) var contentLength = 0
    private var left = 0
    private var digits = 0
    private var trailerBytes = 0
    private var trailerName: [UInt8] = []
    private var chunkExtension = ChunkExtension()
    private let allowsExtensions: Bool
    private static let longestTrailers = 8192

    /// - Parameter allowsExtensions: whether chunk extensions pass, which mean nothing to anybody; for responses alone.
    init(allowsExtensions: Bool = false) {
        self.allowsExtensions = allowsExtensions
    }

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
        case .sizeStart, .size, .sizeExtension, .sizeNewline, .data, .dataReturn, .dataNewline: false
        // At its start the line `0` was just passed.
        case .trailerStart: trailerBytes > 0
        case .trailerName, .trailerValue, .trailerNewline, .endNewline, .complete: true
        }
    }

    private mutating func take(_ byte: UInt8) throws(Malformed) {
        switch state {
        case .sizeStart, .size: try takeSize(byte)
        case .sizeExtension: try takeExtension(byte)
        case .sizeNewline:
            try require(byte, "\n")
            contentLength += left
            (state, digits, chunkExtension) = (left == 0 ? .trailerStart : .data, 0, ChunkExtension())
        case .dataReturn:
            try require(byte, "\r")
            state = .dataNewline
        case .dataNewline:
            try require(byte, "\n")
            state = .sizeStart
        case .trailerStart, .trailerName, .trailerValue: try takeTrailer(byte)
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
        if state == .size, byte == UInt8(ascii: ";"), allowsExtensions {
            state = .sizeExtension
            return
        }
        guard let digit = ByteClass.hexadecimal(byte), digits < 15 else { throw Malformed() }
        digits += 1
        left = left << 4 | Int(digit)
        state = .size
    }

    private mutating func takeExtension(_ byte: UInt8) throws(Malformed) {
        if byte == UInt8(ascii: "\r"), chunkExtension.isComplete {
            state = .sizeNewline
        } else {
            try chunkExtension.take(byte)
        }
    }

    /// Trailers are dropped, but read by the same grammar as headers: a line that is none could hide a request. A trailer
    /// about framing, host or connection is refused (RFC 9110 section 6.5.1): some parsers obey it.
    private mutating func takeTrailer(_ byte: UInt8) throws(Malformed) {
        trailerBytes += 1
        guard trailerBytes <= Self.longestTrailers else { throw Malformed() }
        switch (state, byte) {
        case (.trailerStart, UInt8(ascii: "\r")):
            trailerBytes -= 1
            state = .endNewline
        case (.trailerName, UInt8(ascii: ":")):
            guard trailerName.withUnsafeBytes({ Self.isOfContent(HeaderKind($0)) }) else { throw Malformed() }
            trailerName.removeAll()
            state = .trailerValue
        case (.trailerValue, UInt8(ascii: "\r")): state = .trailerNewline
        case (.trailerValue, _):
            guard ByteClass.isFieldText(byte) else { throw Malformed() }
        default:
            guard ByteClass.isToken(byte) else { throw Malformed() }
            trailerName.append(byte)
            state = .trailerName
        }
    }

    private static func isOfContent(_ trailer: HeaderKind) -> Bool {
        switch trailer {
        case .host, .contentLength, .transferEncoding, .connection, .upgrade, .hopByHop: false
        case .cookie, .authorization, .expect, .origin, .secFetchSite, .secFetchMode, .serviceWorker, .secWebSocketKey,
            .referer, .upgradeInsecureRequests, .accept, .userAgent, .accessControlRequestMethod, .xsrfToken,
            .forwardedFor, .setCookie, .cacheControl, .forged, .other:
            true
        }
    }

    private func require(_ byte: UInt8, _ expected: Unicode.Scalar) throws(Malformed) {
        guard byte == UInt8(ascii: expected) else { throw Malformed() }
    }
}
