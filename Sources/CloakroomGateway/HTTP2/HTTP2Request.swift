import NIOCore
import NIOHPACK

/// A request of HTTP/2 as the head of one of HTTP/1.1, so that one grammar, one policy and one way to the backend serve
/// both.
struct HTTP2Request {
    let head: ByteBuffer
    let isToHead: Bool
    let sendsChunks: Bool

    struct Malformed: Error, Hashable, Sendable {}

    /// The pseudo-headers of a request (RFC 9113 section 8.3.1).
    private struct Pseudo {
        var method: String?
        var path: String?
        var authority: String?
    }

    /// - Parameter endsStream: whether the request has no body.
    /// - Throws: `Malformed` for a request that cannot be said in HTTP/1.1 without a change: CR, LF or NUL in a value, a
    ///   space in a target, a Host beside another authority (RFC 9113 sections 8.2.1 and 8.3.1; request smuggling by
    ///   downgrade).
    init(_ headers: HPACKHeaders, endsStream: Bool) throws(Malformed) {
        var pseudo = Pseudo()
        var lines = ByteBuffer()
        var cookies: [String] = []
        var host: String?
        var hasLength = false
        for (name, value, _) in headers {
            guard Self.isValue(value) else { throw Malformed() }
            switch name {
            case ":method": pseudo.method = value
            case ":path": pseudo.path = value
            case ":authority": pseudo.authority = value
            case ":scheme": break
            case "host":
                guard host == nil else { throw Malformed() }
                host = value
            // Browsers send each cookie in a field of its own, to compress them (RFC 9113 section 8.2.3).
            case "cookie": cookies.append(value)
            case "content-length":
                hasLength = true
                lines.writeField(name, value)
            default: try Self.write(name, value, to: &lines)
            }
        }
        guard let method = pseudo.method, let path = pseudo.path, Self.isWord(method), Self.isWord(path),
            let authority = pseudo.authority ?? host, host == nil || host == authority
        else { throw Malformed() }
        var head = ByteBuffer()
        head.writeRequestLine(method, path)
        head.writeField("Host", authority)
        if !cookies.isEmpty { head.writeField("Cookie", cookies.joined(separator: "; ")) }
        head.writeBuffer(&lines)
        sendsChunks = !endsStream && !hasLength
        if sendsChunks { head.writeField("Transfer-Encoding", "chunked") }
        head.writeStaticString("\r\n")
        self.head = head
        isToHead = method == "HEAD"
    }

    private static func write(_ name: String, _ value: String, to lines: inout ByteBuffer) throws(Malformed) {
        let isToken = Array(name.utf8).withUnsafeBytes { ByteClass.isToken($0) }
        let isOfConnection = ["connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection"]
        guard isToken, name == name.lowercased(), !isOfConnection.contains(name) else { throw Malformed() }
        guard name != "te" else { return }
        lines.writeField(name, value)
    }

    private static func isValue(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { ByteClass.isFieldValue(UnsafeRawBufferPointer($0)) }
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && !text.utf8.contains(0x20) && !text.utf8.contains(0x09)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeField(_ name: String, _ value: String) {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }
}
