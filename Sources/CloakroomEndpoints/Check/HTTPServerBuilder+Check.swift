public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

extension HTTPServerBuilder {
    /// HTTP/1.1, where what `/auth/check` has allowed is answered again without router and middleware, as long as it is
    /// allowed: a third of the cost. Everything else is as with `.http1()`.
    ///
    /// ```swift
    /// Application(router: router, server: .http1(rememberingChecksOf: server))
    /// ```
    /// Middleware in front of the endpoints must not make answers of `/auth/check` differ from one request to the next.
    /// - Parameter observing: told how long each answer from memory took; it passes no middleware that could count it.
    public static func http1(
        rememberingChecksOf server: AuthorizationServer, configuration: HTTP1Channel.Configuration = .init(),
        observing: @escaping @Sendable (Duration) -> Void = { _ in }
    ) -> HTTPServerBuilder {
        let checks = AnsweredChecks(server.authorizer)
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
