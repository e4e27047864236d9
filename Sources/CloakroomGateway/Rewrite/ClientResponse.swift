import NIOCore

/// Writes the head of a backend's response for the browser.
struct ClientResponse {
    let head: ResponseHead
    /// The renewed session cookie; nil without a renewal.
    let setCookie: String?
    let cookies: OwnCookies
    /// Whether the response is of our own endpoints, which set our cookie.
    let isOwn: Bool
    /// Makes the browser's `Set-Cookie` of a backend's for the session cookie, or removes it; nil removes each.
    let relay: ((UnsafeRawBufferPointer) -> String?)?
    let isToHead: Bool
    /// Whether the connection to the browser ends with this response.
    let closes: Bool

    /// The framing towards the browser. A body that ends with the backend's connection is sent in chunks, so that a
    /// connection that breaks is not taken for its end.
    var chunksBody: Bool {
        head.bodyFraming(isToHead: isToHead) == .close
    }

    func write(to buffer: inout ByteBuffer) {
        let relaysCookie = head.bytes.withUnsafeReadableBytes { bytes in
            head.lines.contains { $0.kind == .setCookie && relayed($0, bytes) != nil }
        }
        // The backend has replaced the session that was renewed on the way to it.
        let setCookie = relaysCookie ? nil : setCookie
        let isPrivate = relaysCookie || setCookie != nil
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[head.statusLine]))
            buffer.writeStaticString("\r\n")
            buffer.writeRuns(bytes, head.lines) { rewriting($0, bytes, isPrivate) }
        }
        if head.status == 101 {
            buffer.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        } else if !head.isInterim {
            writeFraming(to: &buffer)
        }
        if !head.isInterim {
            if let setCookie { buffer.writeField("Set-Cookie", setCookie) }
            if isPrivate { buffer.writeField("Cache-Control", "no-store") }
        }
        buffer.writeStaticString("\r\n")
    }

    /// nil for a cookie that does not cross. An interim response has no `Cache-Control` that would apply to it.
    private func relayed(_ line: FieldLine, _ bytes: UnsafeRawBufferPointer) -> String? {
        guard let relay, !head.isInterim else { return nil }
        let value = UnsafeRawBufferPointer(rebasing: bytes[line.value])
        return cookies.isSessionSet(by: value) ? relay(value) : nil
    }

    private func rewriting(
        _ line: FieldLine, _ bytes: UnsafeRawBufferPointer, _ isPrivate: Bool
    ) -> LineRewriting {
        if line.kind == .setCookie, let cookie = relayed(line, bytes) {
            return .replaced(name: "Set-Cookie", value: Array(cookie.utf8))
        }
        return stays(line, bytes, isPrivate) ? .kept : .dropped
    }

    private func stays(_ line: FieldLine, _ bytes: UnsafeRawBufferPointer, _ isPrivate: Bool) -> Bool {
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
        case .cacheControl: !isPrivate
        case .host, .cookie, .authorization, .expect, .origin, .secFetchSite, .secFetchMode, .serviceWorker,
            .secWebSocketKey, .referer, .upgradeInsecureRequests, .accept, .userAgent,
            .accessControlRequestMethod, .xsrfToken, .forwardedFor, .other:
            true
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
