public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

extension HTTPServerBuilder {
    /// HTTP/1.1, where questions to `/auth/check` of a kind that was allowed are answered without router and middleware to
    /// every good session: a quarter of the cost. Everything else is as with `.http1()`.
    ///
    /// ```swift
    /// Application(router: router, server: .http1(rememberingChecksOf: server))
    /// ```
    /// Where an app's own middleware adds headers to the endpoints' answers, none is answered this way.
    /// - Parameter observing: told how long each answer from memory took; it passes no middleware that could count it.
    public static func http1(
        rememberingChecksOf server: AuthorizationServer, configuration: HTTP1Channel.Configuration = .init(),
        observing: @escaping @Sendable (Duration) -> Void = { _ in }
    ) -> HTTPServerBuilder {
        let checks = KnownChecks(server.authorizer)
        return HTTPServerBuilder { responder in
            CheckChannel(
                http1: HTTP1Channel(responder: responder, configuration: configuration),
                makeHandler: { CheckHandler(checks, now: server.now, observe: observing) })
        }
    }
}

/// The framework's own channel with one handler more.
private struct CheckChannel: ServerChildChannel {
    let http1: HTTP1Channel
    let makeHandler: @Sendable () -> CheckHandler

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http1.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(makeHandler(), position: .before(codec))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await http1.handle(value: value, logger: logger)
    }
}
