import NIOCore

/// Writes the head of a request to our own endpoints, which read cookies and tokens by themselves.
struct OwnRequest {
    let head: RequestHead
    let client: String

    func write(to buffer: inout ByteBuffer) {
        buffer.writeRequestLine(head.method, head.target.text)
        head.bytes.withUnsafeReadableBytes { bytes in
            buffer.writeRuns(bytes, head.lines) { line in
                switch line.kind {
                case .connection, .hopByHop, .upgrade, .forged, .forwardedFor: .dropped
                case .host: head.target.authority == nil ? .kept : .dropped
                case .cookie, .authorization, .contentLength, .transferEncoding, .expect, .origin,
                    .secFetchSite, .secFetchMode, .serviceWorker, .secWebSocketKey, .referer,
                    .upgradeInsecureRequests, .accept, .userAgent, .accessControlRequestMethod, .xsrfToken,
                    .setCookie, .cacheControl, .other:
                    .kept
                }
            }
        }
        // A load balancer's health check in HTTP/1.0 names no host.
        if let authority = head.target.authority ?? (head.host == nil ? "localhost" : nil) {
            buffer.writeField("Host", authority)
        }
        buffer.writeField("X-Forwarded-For", client)
        buffer.writeStaticString("\r\n")
    }
}
