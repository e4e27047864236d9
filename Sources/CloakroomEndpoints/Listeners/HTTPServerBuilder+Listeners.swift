import CloakroomCore
import CloakroomMiddleware
import Hummingbird
public import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Time and size limits for the requests on a listener.
public struct ListenerLimits: Sendable {
    /// The time from the first byte of a request to its last.
    public var requestDeadline = Duration.seconds(30)
    /// How long a connection may wait between requests.
    public var idleTimeout = Duration.seconds(60)
    /// The longest header line, in bytes.
    public var longestHeader = 16 * 1024
    /// The longest sum of all headers of a request, in bytes.
    public var longestHead = 32 * 1024

    /// The limits that the initial values of the properties set.
    public init() {}
}

extension HTTPServerBuilder {
    /// HTTP/1.1 for browsers: Hummingbird's, with a deadline for each request and problem answers for malformed ones.
    ///
    /// ```swift
    /// Application(router: router, server: .publicListener(server))
    /// ```
    public static func publicListener(
        _ server: AuthorizationServer, _ limits: ListenerLimits = ListenerLimits()
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { ListenerChannel.publicEndpoints(server, limits, $0) }
    }

    /// HTTP/1.1 for proxies, scrapers and backends. It accepts connections over a Unix socket, from this machine and
    /// from trusted proxies, and closes all others. Checks that need no I/O are answered before the framework parses
    /// the request.
    ///
    /// ```swift
    /// let router = Router(context: PrivateRequestContext.self)
    /// router.addPrivateEndpoints(server, metrics: { "" })
    /// Application(router: router, server: .privateListener(server), configuration: .init(address: .unixDomainSocket(path)))
    /// ```
    /// - Parameter observing: called with the time that each check took which was answered before the framework: such a
    ///   response passes no middleware.
    public static func privateListener(
        _ server: AuthorizationServer, _ limits: ListenerLimits = ListenerLimits(),
        observing: @escaping @Sendable (Duration) -> Void = { _ in }
    ) -> HTTPServerBuilder {
        HTTPServerBuilder {
            ListenerChannel.privateEndpoints(server, limits, $0, observing: { _, duration in observing(duration) })
        }
    }
}

extension Channel {
    fileprivate func add(
        _ path: some FastPath, _ deadline: RequestDeadline, before wire: WireHandler, _ server: AuthorizationServer
    ) throws {
        let handler = FastPathHandler(path, deadline: deadline, demandsTLS: server.demandsTLS, now: server.now)
        try pipeline.syncOperations.addHandler(handler, position: .before(wire))
    }

    fileprivate func addWireHandler(
        _ limits: ListenerLimits, _ server: AuthorizationServer
    ) throws -> (RequestDeadline, WireHandler) {
        let deadline = RequestDeadline(limit: .nanoseconds(limits.requestDeadline.wholeNanoseconds))
        let wire = WireHandler(
            deadline: deadline, originPolicy: server.originPolicy, largestBody: Call.maximumBody,
            demandsTLS: server.demandsTLS, now: server.now)
        let codec = try pipeline.syncOperations.handler(type: HTTP1ToHTTPServerCodec.self)
        try pipeline.syncOperations.addHandler(deadline, position: .first)
        try pipeline.syncOperations.addHandler(wire, position: .before(codec))
        return (deadline, wire)
    }
}

/// The framework's channel, with additional handlers beside its decoder.
package struct ListenerChannel: ServerChildChannel {
    private let http1: HTTP1Channel
    private let prepare: @Sendable (any Channel) throws -> Bool

    /// - Parameters:
    ///   - securing: adds TLS to a connection.
    ///   - observing: called with the status of each renewal that the event loop answered, and its time. nil leaves all
    ///     renewals to the router, for apps with middleware of their own.
    package static func publicEndpoints(
        _ server: AuthorizationServer, _ limits: ListenerLimits, _ responder: @escaping HTTPChannelHandler.Responder,
        securing: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        observing: (@Sendable (Int, Duration) -> Void)? = nil
    ) -> Self {
        let path = observing.map { RenewalFastPath(server, observe: $0) }
        return Self(responder, limits) { channel in
            let (deadline, wire) = try channel.addWireHandler(limits, server)
            if let path { try channel.add(path, deadline, before: wire, server) }
            try securing(channel)
            return true
        }
    }

    /// - Parameters:
    ///   - answersAtOnce: false leaves every check to the router.
    ///   - observing: is also given the status.
    package static func privateEndpoints(
        _ server: AuthorizationServer, _ limits: ListenerLimits, _ responder: @escaping HTTPChannelHandler.Responder,
        answersAtOnce: Bool = true, observing: @escaping @Sendable (Int, Duration) -> Void = { _, _ in }
    ) -> Self {
        let proxies = server.configuration.trustedProxies
        let log = SampledLog(logger: server.logger)
        return Self(responder, limits) { channel in
            guard let peer = AdmittedPeer.admit(channel, trusting: proxies) else {
                log.warning(
                    "a connection to the private listener was closed: its peer is not listed under trustedProxies",
                    metadata: ["peer": "\(channel.remoteAddress?.ipAddress ?? "unknown")"])
                return false
            }
            let (deadline, wire) = try channel.addWireHandler(limits, server)
            guard answersAtOnce else { return true }
            try channel.add(CheckFastPath(server, peer: peer, observe: observing), deadline, before: wire, server)
            return true
        }
    }

    /// - Parameter prepare: adds handlers; false closes the connection.
    init(
        _ responder: @escaping HTTPChannelHandler.Responder, _ limits: ListenerLimits,
        prepare: @escaping @Sendable (any Channel) throws -> Bool
    ) {
        http1 = HTTP1Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: .nanoseconds(limits.idleTimeout.wholeNanoseconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.longestHeader, maxHeaderListSize: limits.longestHead,
                    maxHeaderFieldCount: 200)))
        self.prepare = prepare
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http1.setup(channel: channel, logger: logger).flatMapThrowing { value in
            if try !prepare(channel) { channel.close(promise: nil) }
            // A connection that is accepted when the server stops is dropped by the framework. NIO ends the process if a
            // writer is released before its channel is closed (apple/swift-nio#3481).
            channel.closeFuture.assumeIsolated().whenComplete { _ in withExtendedLifetime(value) {} }
            return value
        }
    }

    package func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await http1.handle(value: value, logger: logger)
    }
}

extension Duration {
    package var wholeNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
