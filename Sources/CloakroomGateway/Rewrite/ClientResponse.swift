import NIOCore

/// Writes the head of a backend's response for the browser.
struct ClientResponse {
    let head: ResponseHead
    /// The renewed session cookie; nil without a renewal.
    let setCookie: String?
    let cookies: OwnCookies
    /// Whether the response is of our own endpoints, which set our cookie.
    let isOwn: Bool
    let isToHead: Bool
    /// Whether the connection to the browser ends with this response.
    let closes: Bool

    /// The framing towards the browser. A body that ends with the backend's connection is sent in chunks, so that a
    /// connection that breaks is not taken for its end.
    var chunksBody: Bool {
        head.bodyFraming(isToHead: isToHead) == .close
    }

    func write(to buffer: inout ByteBuffer) {
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[head.statusLine]))
            buffer.writeStaticString("\r\n")
            buffer.writeRuns(bytes, head.lines) { stays($0, bytes) ? .kept : .dropped }
        }
        if head.status == 101 {
            buffer.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        } else if !head.isInterim {
            writeFraming(to: &buffer)
        }
        if let setCookie, !head.isInterim {
            buffer.writeField("Set-Cookie", setCookie)
            buffer.writeField("Cache-Control", "no-store")
        }
        buffer.writeStaticString("\r\n")
    }

    private func stays(_ line: FieldLine, _ bytes: UnsafeRawBufferPointer) -> Bool {
        if !head.connectionNames.isEmpty, Self.isRemovable(line.kind) {
            let name = String(decoding: bytes[line.name], as: UTF8.self).lowercased()
            if head.connectionNames.contains(name) { return false }
        }
        return switch line.kind {
        case .connection, .hopByHop, .transferEncoding, .upgrade: false
        // RFC 9110 section 8.6.
        case .contentLength: head.status != 204
        case .forged: isOwn
        case .setCookie: isOwn || !cookies.areSet(by: .init(rebasing: bytes[line.value]))
        case .cacheControl: setCookie == nil
        default: true
        }
    }

    /// A backend that names these as of the connection has made a mistake, and the response would lose its meaning.
    private static func isRemovable(_ kind: HeaderKind) -> Bool {
        kind != .contentLength && kind != .setCookie && kind != .cacheControl
    }

    private func writeFraming(to buffer: inout ByteBuffer) {
        let framing = head.bodyFraming(isToHead: isToHead)
        if framing == .chunked || framing == .close { buffer.writeField("Transfer-Encoding", "chunked") }
        if closes { buffer.writeField("Connection", "close") }
    }
}
