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
    /// Whether a bearer token in `Authorization` goes on: see `Route`, and only one that is not ours.
    let keepsBearer: Bool
    /// Whether the session cookie goes on: see `Route`.
    let keepsCookie: Bool
    let cookies: OwnCookies

    /// Copies runs of lines that stay unchanged, and writes ours behind them.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeRequestLine(head.method, target)
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeRuns(bytes, head.lines) { rewriting($0, bytes) }
        }
        writeFraming(to: &buffer)
        writeIdentity(to: &buffer)
        buffer.writeField("X-Forwarded-For", forwarded.client)
        buffer.writeField("X-Forwarded-Proto", forwarded.scheme)
        buffer.writeField("X-Forwarded-Host", forwarded.host)
        buffer.writeStaticString("\r\n")
    }

    private func rewriting(_ line: FieldLine, _ bytes: UnsafeRawBufferPointer) -> LineRewriting {
        switch line.kind {
        case .connection, .hopByHop, .transferEncoding, .contentLength, .upgrade, .forged, .forwardedFor: .dropped
        case .authorization: keepsBearer ? .kept : .dropped
        case .cookie:
            if let rest = cookies.cutting(.init(rebasing: bytes[line.value]), keepsSession: keepsCookie) {
                rest.isEmpty ? .dropped : .replaced(name: "Cookie", value: rest)
            } else {
                .kept
            }
        // A target in absolute form has named another host than the header.
        case .host:
            if head.target.authority != nil {
                .dropped
            } else if bytes[line.value].elementsEqual(forwarded.host.utf8) {
                .kept
            } else {
                .replaced(name: "Host", value: Array(forwarded.host.utf8))
            }
        case .expect, .origin, .secFetchSite, .secFetchMode, .serviceWorker, .secWebSocketKey, .referer,
            .upgradeInsecureRequests, .accept, .userAgent, .accessControlRequestMethod, .xsrfToken, .setCookie,
            .cacheControl, .other:
            .kept
        }
    }

    private func writeFraming(to buffer: inout ByteBuffer) {
        if head.target.authority != nil { buffer.writeField("Host", forwarded.host) }
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

    /// Writes the lines as they are to be; neighbours that are kept are copied in one piece.
    mutating func writeRuns(
        _ bytes: UnsafeRawBufferPointer, _ lines: [FieldLine], rewriting: (FieldLine) -> LineRewriting
    ) {
        var run: Range<Int>?
        for line in lines {
            let rewriting = rewriting(line)
            if case .kept = rewriting {
                run = (run?.lowerBound ?? line.line.lowerBound)..<line.line.upperBound
                continue
            }
            if let whole = run { writeBytes(UnsafeRawBufferPointer(rebasing: bytes[whole])) }
            run = nil
            guard case .replaced(let name, let value) = rewriting else { continue }
            writeStaticString(name)
            writeStaticString(": ")
            writeBytes(value)
            writeStaticString("\r\n")
        }
        if let run { writeBytes(UnsafeRawBufferPointer(rebasing: bytes[run])) }
    }
}

/// What becomes of a header line on the other side.
enum LineRewriting {
    case kept, dropped
    case replaced(name: StaticString, value: [UInt8])
}
