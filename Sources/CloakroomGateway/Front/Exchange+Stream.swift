import CloakroomCore
import NIOCore

/// WebSockets and event streams.
extension Exchange {
    func beginTunnel(_ head: ResponseHead) throws(MalformedHead) {
        guard request.asksForWebSocket, head.upgradesToWebSocket, let upstream else { throw MalformedHead() }
        var buffer = front.makeBuffer(capacity: head.bytes.readableBytes + 512)
        clientResponse(head, closes: false).write(to: &buffer)
        front.write(buffer)
        let tunnel = Tunnel(front, upstream)
        phase = .tunnel(tunnel)
        status = head.status
        observe()
        if let access { watch = StreamWatch(access, gateway, self) }
        if response.readableBytes > 0 { tunnel.upstreamSent(response) }
        response.clear()
        front.resumeReading()
        clientSent()
        upstream.flush()
    }

    /// Ends a stream whose session has ended, or whose server stops.
    /// - Parameter code: a WebSocket close code (RFC 6455 section 7.4).
    func endStream(_ code: UInt16, reason: String) {
        switch phase {
        case .tunnel(let tunnel): tunnel.end(code, reason: reason)
        case .body(let progress, let chunks):
            if let ending = chunks ? "0\r\n\r\n" : progress.ending {
                front.write(ByteBuffer(staticString: ending))
                keepsUpstream = false
                closesFront = true
                end()
                front.flushIfNeeded()
            } else {
                cut()
            }
        case .connecting, .head, .over: break
        }
    }

    /// The server stops: streams, which have no end of their own, are ended.
    func drain() {
        closesFront = true
        if isTunnel || watch != nil { endStream(1001, reason: "") }
    }
}
