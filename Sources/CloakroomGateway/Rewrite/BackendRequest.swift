import CloakroomCore
import CloakroomTokens
import NIOCore

/// Writes the head of a request for the backend.
struct BackendRequest {
    let head: RequestHead
    /// Path and query.
    let target: String
    /// nil for a request without a session.
    let access: VerifiedAccess?
    let forwarded: ForwardedFields
    /// See `Route`.
    let keepsBearer: Bool
    let cookies: OwnCookies

    /// Copies runs of lines that stay unchanged, and writes ours behind them.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeRequestLine(head.method, target)
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeRuns(bytes, head.lines, keeping: { stays($0, bytes) })
            writeCookies(bytes, to: &buffer)
        }
        writeFraming(to: &buffer)
        writeIdentity(to: &buffer)
        buffer.writeField("X-Forwarded-For", forwarded.client)
        buffer.writeField("X-Forwarded-Proto", forwarded.scheme)
        buffer.writeField("X-Forwarded-Host", forwarded.host)
        buffer.writeStaticString("\r\n")
    }

    private func stays(_ line: FieldLine, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch line.kind {
        case .connection, .hopByHop, .transferEncoding, .contentLength, .upgrade, .forged, .forwardedFor: false
        case .authorization: keepsBearer
        case .cookie: cookies.cutting(.init(rebasing: bytes[line.value])) == nil
        // A target in absolute form has named another host than the header.
        case .host: head.target.authority == nil
        default: true
        }
    }

    private func writeCookies(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        for line in head.lines where line.kind == .cookie {
            guard let rest = cookies.cutting(.init(rebasing: bytes[line.value])), !rest.isEmpty else { continue }
            buffer.writeStaticString("Cookie: ")
            buffer.writeBytes(rest)
            buffer.writeStaticString("\r\n")
        }
    }

    private func writeFraming(to buffer: inout ByteBuffer) {
        if let authority = head.target.authority { buffer.writeField("Host", authority) }
        switch head.framing {
        case .length(let length):
            if length > 0 || head.contains(.contentLength) { buffer.writeField("Content-Length", "\(length)") }
        case .chunked: buffer.writeField("Transfer-Encoding", "chunked")
        case .close: break
        }
        guard head.asksForWebSocket else { return }
        buffer.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n")
    }

    private func writeIdentity(to buffer: inout ByteBuffer) {
        guard let access else { return }
        let token = access.token.bytes
        let isBeside = keepsBearer && head.contains(.authorization)
        buffer.writeStaticString(isBeside ? "X-Auth-Token: " : "Authorization: Bearer ")
        buffer.writeBytes(token)
        buffer.writeStaticString("\r\n")
        buffer.writeField("X-Auth-Subject", access.subject.rawValue)
        buffer.writeField("X-Auth-Session", access.session.rawValue)
        buffer.writeField("X-Auth-Claims", access.claimsText)
    }
}

extension ByteBuffer {
    mutating func writeRequestLine(_ method: String, _ target: String) {
        writeString(method)
        writeStaticString(" ")
        writeString(target)
        writeStaticString(" HTTP/1.1\r\n")
    }

    mutating func writeField(_ name: StaticString, _ value: String) {
        writeStaticString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }

    /// Copies the lines that are kept, neighbours in one piece.
    mutating func writeRuns(
        _ bytes: UnsafeRawBufferPointer, _ lines: [FieldLine], keeping isKept: (FieldLine) -> Bool
    ) {
        var run: Range<Int>?
        for line in lines {
            if isKept(line) {
                run = (run?.lowerBound ?? line.line.lowerBound)..<line.line.upperBound
            } else if let whole = run {
                writeBytes(UnsafeRawBufferPointer(rebasing: bytes[whole]))
                run = nil
            }
        }
        if let run { writeBytes(UnsafeRawBufferPointer(rebasing: bytes[run])) }
    }
}
