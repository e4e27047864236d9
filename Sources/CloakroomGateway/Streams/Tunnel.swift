import NIOCore

/// A WebSocket between browser and backend. It passes frames on as they come, and can end the connection between two of
/// them.
final class Tunnel {
    private enum State {
        case open
        /// A frame is still passing before the close frame can be sent.
        case finishingFrame(code: UInt16, reason: String)
        /// The close frame is sent; the browser's own is awaited.
        case closing
    }

    private let front: FrontConnection
    private let upstream: UpstreamConnection
    private var state = State.open
    private var down = WebSocketFrames()
    private var up = WebSocketFrames()
    private var deadline: NIODeadline?

    /// How long a frame in flight may take to end.
    private static let frameTime = TimeAmount.milliseconds(500)
    private static let closeTime = TimeAmount.seconds(1)

    init(_ front: FrontConnection, _ upstream: UpstreamConnection) {
        self.front = front
        self.upstream = upstream
    }

    func clientSent(_ bytes: inout ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        let piece = bytes
        bytes.clear()
        _ = piece.withUnsafeReadableBytes { up.follow($0) }
        switch state {
        case .open, .finishingFrame:
            upstream.send(piece)
            if !upstream.isWritable { front.pauseReading() }
        case .closing where up.isClosed: front.abort()
        case .closing: break
        }
    }

    func upstreamSent(_ bytes: ByteBuffer) {
        switch state {
        case .open:
            _ = bytes.withUnsafeReadableBytes { down.follow($0) }
            front.write(bytes)
        case .finishingFrame(let code, let reason):
            let length = bytes.withUnsafeReadableBytes { down.follow($0, stopsAfterFrame: true) }
            if let piece = bytes.getSlice(at: bytes.readerIndex, length: length) { front.write(piece) }
            if down.isBetweenFrames { close(code, reason) }
        case .closing: break
        }
    }

    func end(_ code: UInt16, reason: String) {
        guard case .open = state else { return }
        guard !down.isBetweenFrames else { return close(code, reason) }
        state = .finishingFrame(code: code, reason: reason)
        deadline = .now() + Self.frameTime
    }

    private func close(_ code: UInt16, _ reason: String) {
        state = .closing
        deadline = .now() + Self.closeTime
        if !down.isClosed { front.write(ByteBuffer(bytes: WebSocketFrames.close(code, reason: reason))) }
        front.resumeReading()
        front.flushIfNeeded()
        if up.isBetweenFrames, !up.isClosed {
            var random = SystemRandomNumberGenerator()
            let mask = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
            upstream.send(ByteBuffer(bytes: WebSocketFrames.close(1001, reason: "", mask: mask)))
            upstream.flush()
        }
    }

    func upstreamClosed() {
        if case .closing = state { return }
        front.closeWhenWritten()
    }

    func tick(at now: NIODeadline) {
        guard let deadline, deadline <= now else { return }
        front.abort()
    }
}
