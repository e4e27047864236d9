import CloakroomCore
import CloakroomMiddleware
import NIOCore

/// How a connection ends.
extension FrontConnection {
    private static let lingerTime = TimeAmount.seconds(2)

    func closeWhenWritten() {
        state = .lingering
        deadline = .now() + gateway.limits.stalledClient
        guard !isStream else { return flushIfNeeded() }
        isFlushNeeded = false
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    /// Closes the connection a moment later: an immediate close while the client still sends would reset it, and the
    /// client would lose the response (RFC 9112 section 9.6).
    func linger() {
        state = .lingering
        received.clear()
        resumeReading()
        deadline = .now() + Self.lingerTime
        guard !isStream else { return flushIfNeeded() }
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        isFlushNeeded = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    func close() {
        context?.close(promise: nil)
    }

    var idleSince: NIODeadline? {
        guard !isStream, case .head = state, received.readableBytes == 0, let deadline else { return nil }
        return deadline - gateway.limits.idle
    }

    func tick(at now: NIODeadline) {
        if case .exchanging(let exchange) = state { return exchange.tick(at: now) }
        guard let deadline, deadline <= now else { return }
        switch state {
        case .head where received.readableBytes > 0:
            DenialLog.count(.requestTimeout)
            write(GatewayAnswer(.requestTimeout, to: nil), isToHead: false, closes: true)
            linger()
        case .head, .lingering: context?.close(promise: nil)
        case .judging, .exchanging: break
        }
    }
}
