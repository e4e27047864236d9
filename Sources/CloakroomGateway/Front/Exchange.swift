import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Logging
import NIOCore

/// One request, and its response: both on their way between a browser's connection and a backend's.
final class Exchange {
    enum Plan {
        /// Our own endpoints.
        case own
        case backend(Route, VerifiedAccess?, setCookie: String?)
    }

    private enum Phase {
        case connecting
        /// Waiting for the head of the response.
        case head
        case body(BodyProgress, chunks: Bool)
        case tunnel(Tunnel)
        case over
    }

    let front: FrontConnection
    let request: RequestHead
    private let plan: Plan
    private var phase = Phase.connecting
    private var upstream: UpstreamConnection?
    private var address: UpstreamAddress?
    private var requestBody: BodyProgress
    private var bodyBytes = 0
    private var hasSentBody = false
    /// Whether a byte of a response came.
    private var hasResponse = false
    private var isRetry = false
    private var response = ByteBuffer()
    private var responseEnd = HeadEnd()
    private var keepsUpstream = false
    private var closesFront = false
    private let beganAt = NIODeadline.now()
    private var lastProgress = NIODeadline.now()
    /// Of the response.
    private var status = 0
    /// The session that an open stream belongs to; nil for every other response.
    private var watch: StreamWatch?

    private static let longestResponseHead = 64 * 1024
    /// The rest of a response that came with its head is sent together with it up to this length.
    private static let joinedBody = 16 * 1024

    init(_ front: FrontConnection, _ request: RequestHead, _ plan: Plan) {
        self.front = front
        self.request = request
        self.plan = plan
        requestBody = BodyProgress(request.framing)
    }

    private var gateway: Gateway { front.gateway }
    private var isSafe: Bool { OriginPolicy.isSafe(request.method) }
    private var isToHead: Bool { request.method == "HEAD" }

    private var limits: RouteLimits {
        switch plan {
        case .own: RouteLimits()
        case .backend(let route, _, _): route.limits
        }
    }

    private var access: VerifiedAccess? {
        switch plan {
        case .own: nil
        case .backend(_, let access, _): access
        }
    }

    private var setCookie: String? {
        switch plan {
        case .own: nil
        case .backend(_, _, let setCookie): setCookie
        }
    }

    // MARK: The connection to the backend

    func begin() {
        if case .length(let length) = request.framing, let longest = limits.body, length > longest {
            return fail(.contentTooLarge)
        }
        front.pauseReading()
        connect(to: endpoints)
    }

    private var endpoints: [UpstreamEndpoint] {
        switch plan {
        case .own: [.own]
        case .backend(let route, _, _):
            gateway.health.candidates(route.upstream, at: .now()).map { .backend($0) }
        }
    }

    /// Takes the first backend to which a connection can be made. Nothing was sent to those before it.
    private func connect(to endpoints: [UpstreamEndpoint]) {
        guard let endpoint = endpoints.first else { return fail(.unavailable(retryAfter: .seconds(2))) }
        if case .backend(let address) = endpoint { self.address = address }
        let pool = front.loop.pool(endpoint)
        if !isRetry, let idle = pool.takeIdle(forSafeMethod: isSafe, at: .now()) { return connected(idle) }
        pool.connect().assumeIsolated().whenComplete { result in
            guard case .connecting = self.phase else {
                if case .success(let connection) = result { connection.close() }
                return
            }
            switch result {
            case .success(let connection): self.connected(connection)
            case .failure(let error): self.couldNotConnect(error, endpoint, others: Array(endpoints.dropFirst()))
            }
            self.front.flushIfNeeded()
        }
    }

    private func couldNotConnect(_ error: any Error, _ endpoint: UpstreamEndpoint, others: [UpstreamEndpoint]) {
        if case .backend(let address) = endpoint {
            gateway.health.failed(address, at: .now())
            gateway.log.warning(
                "a backend cannot be reached", metadata: ["upstream": "\(address)", "problem": "\(error)"])
        }
        guard others.isEmpty else { return connect(to: others) }
        if case ChannelError.connectTimeout = error { return fail(.upstreamTimeout) }
        fail(.upstreamUnavailable)
    }

    private func connected(_ connection: UpstreamConnection) {
        if let address { gateway.health.succeeded(address) }
        upstream = connection
        connection.exchange = self
        phase = .head
        lastProgress = .now()
        sendHead(on: connection)
        sendBody()
        connection.flush()
        front.resumeReading()
        pauseIfNeeded()
    }

    private func sendHead(on connection: UpstreamConnection) {
        var buffer = front.makeBuffer(capacity: request.bytes.readableBytes + 1024)
        let client = front.clientAddress(of: request)
        switch plan {
        case .own:
            OwnRequest(head: request, client: client).write(to: &buffer)
        case .backend(let route, let access, _):
            let path = route.rewrite?.apply(to: request.target.path) ?? request.target.path
            BackendRequest(
                head: request, target: path + request.target.query, access: access,
                forwarded: ForwardedFields(client: client, scheme: gateway.scheme, host: request.host ?? ""),
                keepsBearer: route.keepsBearer && !gateway.rules.hasOwnBearer(request), cookies: gateway.cookies
            ).write(to: &buffer)
        }
        connection.send(buffer)
    }

    // MARK: The request

    /// Bytes of the client have arrived at the front.
    func clientSent() {
        if case .tunnel(let tunnel) = phase {
            lastProgress = .now()
            return tunnel.clientSent(&front.received)
        }
        sendBody()
    }

    func clientReadComplete() {
        upstream?.flush()
    }

    private func sendBody() {
        guard let upstream, !requestBody.isComplete, front.received.readableBytes > 0 else { return }
        do {
            let passed = try requestBody.take(from: &front.received)
            lastProgress = .now()
            guard passed.readableBytes > 0 else { return pauseIfNeeded() }
            bodyBytes += passed.readableBytes
            if let longest = limits.body, bodyBytes > longest { return fail(.contentTooLarge) }
            hasSentBody = true
            upstream.send(passed)
            pauseIfNeeded()
        } catch {
            fail(.invalidRequest(fields: ["body": "is not in chunks"]))
        }
    }

    /// Reads no more from the client than the backend takes. After the request, the next one waits in the kernel.
    private func pauseIfNeeded() {
        if case .tunnel = phase { return }
        guard let upstream else { return }
        if requestBody.isComplete || !upstream.isWritable { front.pauseReading() }
    }

    func upstreamIsWritable() {
        guard !requestBody.isComplete || isTunnel else { return }
        front.resumeReading()
    }

    private var isTunnel: Bool {
        if case .tunnel = phase { true } else { false }
    }

    func clientIsGone() {
        phase = .over
        watch?.end()
        upstream?.close()
        upstream = nil
    }

    // MARK: The response

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

    private func readResponseHeads() {
        do {
            while case .head = phase, let head = try nextResponseHead() {
                if head.isInterim { passInterim(head) } else { try passHead(head) }
            }
        } catch {
            fail(.upstreamUnavailable)
        }
    }

    private func nextResponseHead() throws(MalformedHead) -> ResponseHead? {
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
    private func passInterim(_ head: ResponseHead) {
        guard !request.isHTTP10 else { return }
        var buffer = front.makeBuffer(capacity: 256)
        clientResponse(head, closes: false).write(to: &buffer)
        front.write(buffer)
        front.flushIfNeeded()
    }

    private func passHead(_ head: ResponseHead) throws(MalformedHead) {
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

    private func clientResponse(_ head: ResponseHead, closes: Bool) -> ClientResponse {
        let isOwn = if case .own = plan { true } else { false }
        return ClientResponse(
            head: head, setCookie: setCookie, cookies: gateway.cookies, isOwn: isOwn, isToHead: isToHead,
            closes: closes)
    }

    /// Passes on a piece of the body, in one write with `head` if it is short.
    private func passBody(
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

    private func write(_ piece: ByteBuffer, chunks: Bool) {
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
    private func end() {
        phase = .over
        observe()
        watch?.end()
        if let upstream {
            self.upstream = nil
            if keepsUpstream, requestBody.isComplete, let pool {
                pool.giveBack(upstream)
            } else {
                upstream.close()
            }
        }
        front.exchangeEnded(closes: closesFront, requestIsComplete: requestBody.isComplete)
    }

    /// The framework observes the responses of our own endpoints.
    private func observe() {
        guard case .backend(let route, _, _) = plan else { return }
        gateway.observe(
            route.pattern.description, request.method, status, .nanoseconds((NIODeadline.now() - beganAt).nanoseconds))
    }

    private var pool: UpstreamPool? {
        switch plan {
        case .own: front.loop.pool(.own)
        case .backend: address.map { front.loop.pool(.backend($0)) }
        }
    }

    // MARK: Failures

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
    private func connectionLost(_ connection: UpstreamConnection) {
        guard connection.isReused, isSafe, !hasSentBody, !hasResponse, !isRetry else {
            return fail(.upstreamUnavailable)
        }
        isRetry = true
        phase = .connecting
        connect(to: endpoints)
    }

    /// Answers in place of the backend, or cuts a response that has begun.
    private func fail(_ denial: Denial) {
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

    private func cut() {
        phase = .over
        watch?.end()
        upstream?.close()
        upstream = nil
        front.abort()
    }

    // MARK: Streams

    private func beginTunnel(_ head: ResponseHead) throws(MalformedHead) {
        guard request.asksForWebSocket, head.upgradesToWebSocket, let upstream else { throw MalformedHead() }
        var buffer = front.makeBuffer(capacity: head.bytes.readableBytes + 512)
        clientResponse(head, closes: false).write(to: &buffer)
        front.write(buffer)
        let tunnel = Tunnel(front, upstream)
        phase = .tunnel(tunnel)
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

    // MARK: Time

    func tick(at now: NIODeadline) {
        if case .tunnel(let tunnel) = phase { tunnel.tick(at: now) }
        watch?.tick(at: now)
        guard lastProgress + limit < now else { return }
        switch phase {
        case .head where requestBody.isComplete || upstream?.isWritable == false: fail(.upstreamTimeout)
        case .head: fail(.requestTimeout)
        case .body, .tunnel: cut()
        case .connecting, .over: break
        }
        front.flushIfNeeded()
    }

    /// How long nothing may happen.
    private var limit: TimeAmount {
        switch phase {
        case .connecting, .over: .hours(1)
        case .head:
            requestBody.isComplete ? limits.response.timeAmount : gateway.limits.stalledClient
        case .body: front.isWritable ? limits.idle.timeAmount : gateway.limits.stalledClient
        case .tunnel: limits.idle.timeAmount
        }
    }
}

extension Span {
    fileprivate var timeAmount: TimeAmount { .milliseconds(milliseconds) }
}
