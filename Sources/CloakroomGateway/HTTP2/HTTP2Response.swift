import NIOCore
import NIOHPACK

/// Reads the bytes of an HTTP/1.1 response as they are written, for a stream of HTTP/2.
struct HTTP2Response {
    enum Part {
        case head(HPACKHeaders, endsStream: Bool)
        case data(ByteBuffer)
        case end
    }

    struct Malformed: Error {}

    private enum State {
        case head
        case length(Int)
        case chunks(ChunkContent)
        case complete
    }

    private let isToHead: Bool
    private var state = State.head
    private var pending = ByteBuffer()
    private var end = HeadEnd()

    init(isToHead: Bool) {
        self.isToHead = isToHead
    }

    mutating func read(_ bytes: ByteBuffer) throws -> [Part] {
        var bytes = bytes
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        var parts: [Part] = []
        while pending.readableBytes > 0, let part = try next() { parts.append(contentsOf: part) }
        return parts
    }

    /// - Returns: nil when more bytes are needed.
    private mutating func next() throws -> [Part]? {
        switch state {
        case .head: return try nextHead().map { [$0] }
        case .length(let left):
            let piece = pending.readSlice(length: min(left, pending.readableBytes)) ?? ByteBuffer()
            state = left == piece.readableBytes ? .complete : .length(left - piece.readableBytes)
            return left == piece.readableBytes ? [.data(piece), .end] : [.data(piece)]
        case .chunks(var content):
            let pieces = try content.read(&pending)
            state = content.isComplete ? .complete : .chunks(content)
            return pieces.map { .data($0) } + (content.isComplete ? [.end] : [])
        case .complete: throw Malformed()
        }
    }

    private mutating func nextHead() throws -> Part? {
        let length = try pending.withUnsafeReadableBytes { bytes throws(MalformedHead) in try end.find(in: bytes) }
        guard let length, let bytes = pending.readSlice(length: length) else { return nil }
        end = HeadEnd()
        let head = try ResponseHead(bytes)
        let framing = head.bodyFraming(isToHead: isToHead)
        if !head.isInterim {
            switch framing {
            case .length(let length): state = length == 0 ? .complete : .length(length)
            case .chunked: state = .chunks(ChunkContent())
            case .close: throw Malformed()
            }
        }
        return .head(Self.headers(head), endsStream: !head.isInterim && framing == .empty)
    }

    private static func headers(_ head: ResponseHead) -> HPACKHeaders {
        var headers = HPACKHeaders([(":status", "\(head.status)")])
        head.bytes.withUnsafeReadableBytes { bytes in
            for line in head.lines {
                switch line.kind {
                case .connection, .hopByHop, .transferEncoding, .upgrade: continue
                // A length that the missing body contradicts resets the stream (RFC 9113 section 8.1.1).
                case .contentLength where head.status == 204 || head.status == 304: continue
                case .host, .cookie, .authorization, .contentLength, .expect, .origin, .secFetchSite,
                    .secFetchMode, .serviceWorker, .secWebSocketKey, .referer, .upgradeInsecureRequests,
                    .accept, .userAgent, .accessControlRequestMethod, .xsrfToken, .forwardedFor, .setCookie,
                    .cacheControl, .forged, .other:
                    let name = String(decoding: bytes[line.name], as: UTF8.self).lowercased()
                    headers.add(name: name, value: String(decoding: bytes[line.value], as: UTF8.self))
                }
            }
        }
        return headers
    }
}

/// Takes the content out of a chunked body that has been validated before.
struct ChunkContent {
    private enum State: Hashable {
        case size
        case data(Int)
        /// The line with the size 0 has come, the empty line that ends the body has not.
        case last
        case complete
    }

    private var state = State.size
    private var size: [UInt8] = []
    private var isInExtension = false

    var isComplete: Bool { state == .complete }

    mutating func read(_ bytes: inout ByteBuffer) throws -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        while bytes.readableBytes > 0, state != .complete {
            switch state {
            case .data(let left):
                let piece = bytes.readSlice(length: min(left, bytes.readableBytes)) ?? ByteBuffer()
                pieces.append(piece)
                state = left == piece.readableBytes ? .size : .data(left - piece.readableBytes)
            case .size, .last: try readSize(&bytes)
            case .complete: break
            }
        }
        return pieces
    }

    /// Reads one byte of the lines between the data: `CRLF` behind a chunk, the size, and the two ends of the last.
    private mutating func readSize(_ bytes: inout ByteBuffer) throws {
        guard let byte: UInt8 = bytes.readInteger() else { return }
        guard byte == UInt8(ascii: "\n") else {
            if byte == UInt8(ascii: ";") { isInExtension = true }
            if byte != UInt8(ascii: "\r"), !isInExtension { size.append(byte) }
            return
        }
        isInExtension = false
        guard state != .last else { return state = .complete }
        guard !size.isEmpty else { return }
        guard size.count <= 16, let length = Int(String(decoding: size, as: UTF8.self), radix: 16) else {
            throw HTTP2Response.Malformed()
        }
        size = []
        state = length == 0 ? .last : .data(length)
    }
}
