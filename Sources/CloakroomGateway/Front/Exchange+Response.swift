import CloakroomCore
import NIOCore

/// The response on its way to the browser.
extension Exchange {
    func received(_ bytes: ByteBuffer) {
        hasResponse = true
        lastProgress = .now()
        var bytes = bytes
        switch phase {
        case .head:
            if response.readableBytes == 0 { response = bytes } else { response.writeBuffer(&bytes) }
            readResponseHeads()
        case .body(let progress, let chunks): passBody(&bytes, progress, chunks: chunks)
        case .tunnel(let tunnel): tunnel.upstreamSent(bytes)
        case .connecting, .over: break
        }
        if !front.isWritable { upstream?.pauseReading() }
    }

    func upstreamReadComplete() {
        front.flushIfNeeded()
    }

    func clientIsWritable() {
        upstream?.resumeReading()
    }

    func readResponseHeads() {
        do {
            while case .head = phase, let head = try nextResponseHead() {
                if head.isInterim { passInterim(head) } else { try passHead(head) }
            }
        } catch {
            fail(.upstreamUnavailable)
        }
    }

    func nextResponseHead() throws(MalformedHead) -> ResponseHead? {
        let length = try response.withUnsafeReadableBytes { bytes throws(MalformedHead) in
            try responseEnd.find(in: bytes)
        }
        guard let length, let bytes = response.readSlice(length: length) else {
            guard response.readableBytes <= Self.longestResponseHead else { throw MalformedHead() }
            return nil
        }
        responseEnd = HeadEnd()
        return try ResponseHead(bytes)
    }

    /// Passes on an interim response (RFC 9110 section 15.2). HTTP/1.0 has none.
    func passInterim(_ head: ResponseHead) {
        guard !request.isHTTP10 else { return }
        var buffer = front.makeBuffer(capacity: 256)
        clientResponse(head, closes: false).write(to: &buffer)
        front.write(buffer)
        front.flushIfNeeded()
    }

    func passHead(_ head: ResponseHead) throws(MalformedHead) {
        guard head.status != 101 else { return try beginTunnel(head) }
        status = head.status
        // Some backends send the body of a GET to a HEAD request. What comes later on the connection would be taken for the
        // response to another client's request.
        keepsUpstream = head.keepsConnection && (!isToHead || head.framing == .empty)
        closesFront = !request.keepsConnection || !requestBody.isComplete || request.offersUpgrade || front.isDraining
        let answer = clientResponse(head, closes: closesFront)
        var buffer = front.makeBuffer(
            capacity: head.bytes.readableBytes + 512 + min(response.readableBytes, Self.joinedBody))
        answer.write(to: &buffer)
        let progress = BodyProgress(head.bodyFraming(isToHead: isToHead), isResponse: true)
        if head.isEventStream, let access { watch = StreamWatch(access, gateway, self) }
        var rest = response
        response.clear()
        passBody(&rest, progress, chunks: answer.chunksBody, behind: buffer)
    }

    func clientResponse(_ head: ResponseHead, closes: Bool) -> ClientResponse {
        let (isOwn, keepsCookie) =
            switch plan {
            case .own: (true, false)
            case .backend(let route, _, _): (false, route.keepsCookie)
            }
        let (rules, request) = (gateway.rules, request)
        let relay: ((UnsafeRawBufferPointer) -> String?)? =
            keepsCookie ? { rules.relayed($0, inResponseTo: request) } : nil
        return ClientResponse(
            head: head, setCookie: setCookie, cookies: gateway.cookies, isOwn: isOwn, relay: relay,
            isToHead: isToHead, closes: closes)
    }

    /// Passes on a piece of the body, in one write with `head` if it is short.
    func passBody(
        _ bytes: inout ByteBuffer, _ progress: BodyProgress, chunks: Bool, behind head: ByteBuffer? = nil
    ) {
        var progress = progress
        do {
            var piece = try progress.take(from: &bytes)
            phase = .body(progress, chunks: chunks)
            if var head {
                if piece.readableBytes <= Self.joinedBody, !chunks {
                    head.writeBuffer(&piece)
                }
                front.write(head)
            }
            if piece.readableBytes > 0 { write(piece, chunks: chunks) }
        } catch {
            return head == nil ? cut() : fail(.upstreamUnavailable)
        }
        guard progress.isComplete else { return }
        // What is behind the response was not asked for.
        if bytes.readableBytes > 0 { keepsUpstream = false }
        end()
    }

    func write(_ piece: ByteBuffer, chunks: Bool) {
        guard chunks else { return front.write(piece) }
        var chunk = front.makeBuffer(capacity: piece.readableBytes + 24)
        var piece = piece
        chunk.writeString(String(piece.readableBytes, radix: 16))
        chunk.writeStaticString("\r\n")
        chunk.writeBuffer(&piece)
        chunk.writeStaticString("\r\n")
        front.write(chunk)
    }

    /// The response is complete.
    func end() {
        phase = .over
        observe()
        watch?.end()
        if let upstream {
            self.upstream = nil
            // An idle connection for probes would keep a part of their small share.
            if keepsUpstream, requestBody.isComplete, !isProbe { upstream.release() } else { upstream.close() }
        }
        front.exchangeEnded(closes: closesFront, requestIsComplete: requestBody.isComplete)
    }

    /// Reports the duration of the response, of a tunnel that of its handshake. The framework observes the responses of
    /// our own endpoints.
    func observe() {
        guard case .backend(let route, _, _) = plan else { return }
        gateway.observe(
            route.pattern.description, request.method, status, .nanoseconds((NIODeadline.now() - beganAt).nanoseconds))
    }
}
