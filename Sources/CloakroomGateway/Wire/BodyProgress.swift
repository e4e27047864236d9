import NIOCore

/// Follows a body of known framing through the pieces in which it arrives.
struct BodyProgress: Hashable, Sendable {
    private enum State: Hashable, Sendable {
        case length(Int)
        case chunked(ChunkedBody)
        case close
    }

    private var state: State

    /// - Parameter isResponse: what a backend sends may have chunk extensions.
    init(_ framing: Framing, isResponse: Bool = false) {
        switch framing {
        case .length(let length): state = .length(length)
        case .chunked: state = .chunked(ChunkedBody(allowsExtensions: isResponse))
        case .close: state = .close
        }
    }

    var isComplete: Bool {
        switch state {
        case .length(let left): left == 0
        case .chunked(let body): body.isComplete
        case .close: false
        }
    }

    /// How many bytes of data a chunked body has announced so far; 0 for other framings.
    var chunkedLength: Int {
        if case .chunked(let body) = state { body.contentLength } else { 0 }
    }

    /// Whether the body ends with the connection.
    var endsWithConnection: Bool { state == .close }

    /// Takes the bytes of the body from the beginning of a piece; what is behind the end stays in it.
    /// - Returns: the bytes to pass on.
    mutating func take(from piece: inout ByteBuffer) throws(ChunkedBody.Malformed) -> ByteBuffer {
        switch state {
        case .close:
            defer { piece.clear() }
            return piece
        case .length(let left):
            let length = min(left, piece.readableBytes)
            state = .length(left - length)
            return piece.readSlice(length: length) ?? ByteBuffer()
        case .chunked(var body):
            let step = try piece.withUnsafeReadableBytes { bytes throws(ChunkedBody.Malformed) in
                try body.follow(bytes)
            }
            state = .chunked(body)
            var passed = piece.getSlice(at: piece.readerIndex, length: step.passed) ?? ByteBuffer()
            if step.endsHere { passed.writeStaticString("\r\n") }
            piece.moveReaderIndex(forwardBy: step.consumed)
            return passed
        }
    }

    /// The bytes that end the body at this point; nil in the middle of a chunk, and for other framings.
    var ending: StaticString? {
        guard case .chunked(let body) = state, body.isBetweenChunks else { return nil }
        return "0\r\n\r\n"
    }
}
