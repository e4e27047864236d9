import CloakroomCore
import CloakroomMiddleware
import Logging
import NIOCore

/// The way of an exchange to a backend.
extension Exchange {
    func begin() {
        if case .length(let length) = request.framing, let longest = limits.body, length > longest {
            return fail(.contentTooLarge)
        }
        let endpoints = endpoints
        if let first = endpoints.first {
            place = gateway.budget.place(for: ClientNetwork.all(of: client), at: first)
            if place == nil { return fail(.unavailable(retryAfter: .seconds(1))) }
        }
        connect(to: endpoints)
    }

    var endpoints: [UpstreamEndpoint] {
        switch plan {
        case .own: [isProbe ? .probe : .own]
        case .backend(let route, _, _):
            gateway.health.candidates(route.upstream, at: .now()).map { .backend($0) }
        }
    }

    /// Whether the request is that of a load balancer or an orchestrator. One with a body may be slow, and is none.
    var isProbe: Bool {
        isSafe && request.framing == .empty && OwnPaths.isProbe(request.target.path)
    }

    /// Takes the first backend to which a connection can be made. Nothing was sent to those before it.
    func connect(to endpoints: [UpstreamEndpoint]) {
        guard let endpoint = endpoints.first else { return fail(.unavailable(retryAfter: .seconds(2))) }
        if case .backend(let address) = endpoint { self.address = address }
        let pool = front.loop.pool(endpoint)
        if !isRetry, let idle = pool.takeIdle(forSafeMethod: isSafe, at: .now()) { return connected(idle) }
        front.pauseReading()
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

    func couldNotConnect(_ error: any Error, _ endpoint: UpstreamEndpoint, others: [UpstreamEndpoint]) {
        if error is UpstreamBudget.Exhausted {
            if front.loop.closeIdleUpstream() { return connect(to: [endpoint] + others) }
            gateway.log.warning(
                "no more connections to backends are opened until some are closed",
                metadata: Logger.Metadata(request.trace))
            return fail(.unavailable(retryAfter: .seconds(1)))
        }
        if case .backend(let address) = endpoint {
            gateway.health.failed(address, at: .now())
            let problem: Logger.Metadata = ["upstream": "\(address)", "problem": "\(error)"]
            gateway.log.warning(
                "a backend cannot be reached", metadata: problem.merging(Logger.Metadata(request.trace)) { $1 })
        }
        guard others.isEmpty else { return connect(to: others) }
        if case ChannelError.connectTimeout = error { return fail(.upstreamTimeout) }
        fail(.upstreamUnavailable)
    }

    func connected(_ connection: UpstreamConnection) {
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

    func sendHead(on connection: UpstreamConnection) {
        var buffer = front.makeBuffer(capacity: request.bytes.readableBytes + 1024)
        switch plan {
        case .own:
            OwnRequest(head: request, client: client).write(to: &buffer)
        case .backend(let route, let access, _):
            let path = route.rewrite?.apply(to: request.target.path) ?? request.target.path
            BackendRequest(
                head: request, target: path + request.target.query, access: access,
                forwarded: ForwardedFields(client: client, scheme: gateway.scheme, host: request.host ?? ""),
                keepsBearer: route.keepsBearer && !gateway.rules.hasOwnBearer(request),
                keepsCookie: route.keepsCookie, cookies: gateway.cookies
            ).write(to: &buffer)
        }
        connection.send(buffer)
    }
}
