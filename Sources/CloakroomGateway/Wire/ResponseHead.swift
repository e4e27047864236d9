import NIOCore

/// The head of a backend's response.
struct ResponseHead: Sendable {
    /// From the status line to the empty line.
    let bytes: ByteBuffer
    let status: Int
    /// The position of the status code and the reason.
    let statusLine: Range<Int>
    let lines: [FieldLine]
    /// Of the body, if the response has one.
    let framing: Framing
    /// Whether the backend keeps its connection.
    let keepsConnection: Bool
    /// Whether `Upgrade` names a WebSocket and nothing else.
    let upgradesToWebSocket: Bool
    /// The names, in lower case, that `Connection` says are of this connection alone.
    let connectionNames: Set<String>

    /// - Throws: `MalformedHead`, also where two servers could disagree about the end of the body.
    init(_ bytes: ByteBuffer) throws(MalformedHead) {
        self.bytes = bytes
        let parts = try bytes.withUnsafeReadableBytes { bytes throws(MalformedHead) in try ResponseParts(bytes) }
        status = parts.status
        statusLine = parts.statusLine
        lines = parts.lines
        framing = parts.framing
        keepsConnection = parts.keepsConnection && parts.framing != .close
        upgradesToWebSocket = parts.upgradesToWebSocket
        connectionNames = parts.connectionNames
    }

    var isInterim: Bool { 100...199 ~= status && status != 101 }

    /// The framing of what follows this head (RFC 9112 section 6.3): a response to HEAD, 204 and 304 have no body,
    /// whatever their headers are.
    func bodyFraming(isToHead: Bool) -> Framing {
        isToHead || status == 204 || status == 304 || status < 200 ? .empty : framing
    }

    func contains(_ kind: HeaderKind) -> Bool {
        lines.contains { $0.kind == kind }
    }

    /// Whether the body is a stream of events (HTML standard, section 9.2), which stays open.
    var isEventStream: Bool {
        bytes.withUnsafeReadableBytes { bytes in
            lines.contains { line in
                UnsafeRawBufferPointer(rebasing: bytes[line.name]).equalsIgnoringCase("content-type")
                    && UnsafeRawBufferPointer(rebasing: bytes[line.value]).begins("text/event-stream")
            }
        }
    }
}

private struct ResponseParts {
    var status = 0
    var statusLine = 0..<0
    var lines: [FieldLine] = []
    var framing = Framing.close
    var keepsConnection = true
    var upgradesToWebSocket = false
    var connectionNames: Set<String> = []

    init(_ bytes: UnsafeRawBufferPointer) throws(MalformedHead) {
        let end = try FieldLines.endOfLine(bytes, from: 0)
        try readStatusLine(.init(rebasing: bytes[..<end]))
        lines = try FieldLines.split(bytes, from: end + 2)
        try readFields(bytes)
    }

    private mutating func readStatusLine(_ line: UnsafeRawBufferPointer) throws(MalformedHead) {
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line[8] == UInt8(ascii: " "),
            line.count == 12 || line[12] == UInt8(ascii: " "), ByteClass.isFieldValue(.init(rebasing: line[8...])),
            let status = Framing.length(.init(rebasing: line[9..<12])), 100...599 ~= status
        else { throw MalformedHead() }
        switch line[7] {
        case UInt8(ascii: "1"): break
        case UInt8(ascii: "0"):
            // HTTP/1.0 has no interim responses (RFC 9110 section 15.2): another parser takes this for the final one.
            guard status >= 200 else { throw MalformedHead() }
            keepsConnection = false
        default: throw MalformedHead()
        }
        self.status = status
        statusLine = 9..<line.count
    }

    private mutating func readFields(_ bytes: UnsafeRawBufferPointer) throws(MalformedHead) {
        var length: Int?
        var isChunked = false
        for line in lines {
            let value = UnsafeRawBufferPointer(rebasing: bytes[line.value])
            switch line.kind {
            case .contentLength:
                guard length == nil, !line.hasTabBehindValue(bytes), let parsed = Framing.length(value) else {
                    throw MalformedHead()
                }
                length = parsed
            case .transferEncoding:
                guard !isChunked, !line.hasTabBehindValue(bytes), value.equalsIgnoringCase("chunked") else {
                    throw MalformedHead()
                }
                isChunked = true
            case .connection: readConnection(value)
            case .upgrade: upgradesToWebSocket = value.equalsIgnoringCase("websocket")
            case .host, .cookie, .authorization, .expect, .origin, .secFetchSite, .secFetchMode, .serviceWorker,
                .secWebSocketKey, .referer, .upgradeInsecureRequests, .accept, .userAgent,
                .accessControlRequestMethod, .xsrfToken, .forwardedFor, .setCookie, .cacheControl, .hopByHop,
                .forged, .other:
                break
            }
        }
        guard length == nil || !isChunked else { throw MalformedHead() }
        framing = isChunked ? .chunked : length.map { .length($0) } ?? .close
    }

    private mutating func readConnection(_ value: UnsafeRawBufferPointer) {
        for part in value.split(separator: UInt8(ascii: ",")) {
            let option = UnsafeRawBufferPointer(rebasing: part).trimmed
            if option.equalsIgnoringCase("close") {
                keepsConnection = false
            } else if !option.equalsIgnoringCase("keep-alive"), !option.equalsIgnoringCase("upgrade") {
                connectionNames.insert(String(decoding: option, as: UTF8.self).lowercased())
            }
        }
    }
}
