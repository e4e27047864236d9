import CloakroomCore
import CloakroomMiddleware
import Logging
import NIOCore

/// What the browser gets when the backend fails.
extension Exchange {
    func upstreamClosed(_ connection: UpstreamConnection) {
        upstream = nil
        switch phase {
        case .head: connectionLost(connection)
        case .body(let progress, let chunks):
            guard progress.endsWithConnection, !connection.isBroken else { return cut() }
            if chunks { front.write(ByteBuffer(string: "0\r\n\r\n")) }
            end()
        case .tunnel(let tunnel): tunnel.upstreamClosed()
        case .connecting, .over: break
        }
        front.flushIfNeeded()
    }

    /// Tries once more where that cannot execute a request twice: the backend closed a connection that it had kept, before
    /// it sent anything (RFC 9112 section 9.3.1).
    func connectionLost(_ connection: UpstreamConnection) {
        guard connection.isReused, isSafe, !hasSentBody, !hasResponse, !isRetry else {
            return fail(.upstreamUnavailable)
        }
        isRetry = true
        phase = .connecting
        connect(to: endpoints)
    }

    /// Answers in place of the backend, or cuts a response that has begun.
    func fail(_ denial: Denial) {
        switch phase {
        case .connecting, .head: break
        case .body, .tunnel: return cut()
        case .over: return
        }
        phase = .over
        upstream?.close()
        upstream = nil
        gateway.denials.write(denial, of: LoggedRequest(request))
        var answer = gateway.rules.answer(denial, to: request, route: nil)
        // A renewal is not lost with the backend's response.
        if let setCookie, answer.status >= 502 { answer.fields.append(("Set-Cookie", setCookie)) }
        status = answer.status
        observe()
        front.answer(answer, to: request, requestIsComplete: requestBody.isComplete)
    }

    func cut() {
        if case .body = phase { observe() }
        phase = .over
        watch?.end()
        upstream?.close()
        upstream = nil
        front.abort()
    }
}
