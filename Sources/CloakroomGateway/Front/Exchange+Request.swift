import CloakroomCore
import NIOCore

/// The request on its way to the backend.
extension Exchange {
    /// Bytes of the client have arrived at the front.
    func clientSent() {
        if case .tunnel(let tunnel) = phase {
            lastProgress = .now()
            watch?.clientSent()
            return tunnel.clientSent(&front.received)
        }
        sendBody()
    }

    func clientReadComplete() {
        upstream?.flush()
    }

    func sendBody() {
        guard let upstream, front.received.readableBytes > 0 else { return }
        guard !requestBody.isComplete else { return pauseIfNeeded() }
        do {
            let passed = try requestBody.take(from: &front.received)
            lastProgress = .now()
            if let longest = limits.body, requestBody.chunkedLength > longest { return fail(.contentTooLarge) }
            guard passed.readableBytes > 0 else { return pauseIfNeeded() }
            hasSentBody = true
            upstream.send(passed)
            pauseIfNeeded()
        } catch {
            fail(.invalidRequest(fields: ["body": "is not in chunks"]))
        }
    }

    /// Reads no more from the client than the backend takes. A next request waits in the kernel, except for its first
    /// bytes: most clients send none before the response, and each pause costs two system calls.
    func pauseIfNeeded() {
        if case .tunnel = phase { return }
        guard let upstream else { return }
        let isHeldBack = requestBody.isComplete ? front.received.readableBytes > 0 : !upstream.isWritable
        if isHeldBack { front.pauseReading() }
    }

    func upstreamIsWritable() {
        guard !requestBody.isComplete || isTunnel else { return }
        front.resumeReading()
    }

    var isTunnel: Bool {
        if case .tunnel = phase { true } else { false }
    }

    func clientIsGone() {
        if case .body = phase { observe() }
        phase = .over
        watch?.end()
        upstream?.close()
        upstream = nil
    }
}
