/// Follows the frames of one direction of a WebSocket by their headers (RFC 6455 section 5.2), so that a close frame can
/// be put between two of them. Inside another frame's payload it would be taken for payload.
struct WebSocketFrames: Hashable, Sendable {
    private var header: [UInt8] = []
    private var payloadLeft: UInt64 = 0
    /// Whether the frame whose payload is passing is a close frame.
    private var isCloseFrame = false
    /// Whether a whole close frame has passed.
    private(set) var isClosed = false

    var isBetweenFrames: Bool { header.isEmpty && payloadLeft == 0 }

    /// - Parameter stopsAfterFrame: whether to stop where the current frame ends.
    /// - Returns: how many of the bytes were followed.
    mutating func follow(_ bytes: UnsafeRawBufferPointer, stopsAfterFrame: Bool = false) -> Int {
        var index = 0
        if stopsAfterFrame, isBetweenFrames { return 0 }
        while index < bytes.count {
            if payloadLeft > 0 {
                let length = Int(min(payloadLeft, UInt64(bytes.count - index)))
                payloadLeft -= UInt64(length)
                index += length
            } else {
                header.append(bytes[index])
                index += 1
                guard let length = payloadLength else { continue }
                isCloseFrame = header[0] & 0x0F == 0x08
                payloadLeft = length
                header.removeAll(keepingCapacity: true)
            }
            guard isBetweenFrames else { continue }
            if isCloseFrame { isClosed = true }
            if stopsAfterFrame { return index }
        }
        return index
    }

    /// The length of the payload; nil while the header is incomplete.
    private var payloadLength: UInt64? {
        guard header.count >= 2 else { return nil }
        let short = header[1] & 0x7F
        let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
        guard header.count == 2 + lengthBytes + (header[1] & 0x80 != 0 ? 4 : 0) else { return nil }
        guard lengthBytes > 0 else { return UInt64(short) }
        return header[2..<2 + lengthBytes].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A close frame (RFC 6455 section 5.5.1).
    /// - Parameter mask: four random bytes for a frame to a server; nil for one to a client.
    static func close(_ code: UInt16, reason: String, mask: [UInt8]? = nil) -> [UInt8] {
        let payload = [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8.prefix(123))
        guard let mask else { return [0x88, UInt8(payload.count)] + payload }
        let masked = payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
        return [0x88, 0x80 | UInt8(payload.count)] + mask + masked
    }
}
