import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomService
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The HTTP server over an instance.
struct Server {
    let instance: Instance
    let metrics: PrometheusRegistry

    /// How long requests in flight may take to finish after a signal to stop.
    private static let patience = Duration.seconds(10)

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: Maintenance(server: instance.server)),
                .init(service: application),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "cloakroom.lifecycle"))
        configuration.maximumGracefulShutdownDuration = Self.patience
        try await ServiceGroup(configuration: configuration).run()
    }

    private var application: some Service {
        let settings = instance.settings
        return Application(
            router: router,
            server: .http1(
                rememberingChecksOf: instance.server,
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 200)),
                observing: RequestTimers.recordRememberedCheck),
            configuration: .init(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { channel in
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                Terminal.print("cloakroom: listening on http://\(host):\(channel.localAddress?.port ?? settings.port)")
            },
            logger: Logger(label: "cloakroom.http"))
    }

    private var router: Router<BasicSessionRequestContext> {
        let router = Router(context: BasicSessionRequestContext.self)
        router.add(middleware: RequestMetrics())
        router.addCloakroom(instance.server)
        router.add(middleware: MetricsEndpoint(registry: metrics))
        if instance.settings.isDemo { Demo(now: instance.environment.now).addRoutes(to: router) }
        return router
    }
}

/// What goes on beside the requests, until the server stops.
private struct Maintenance: Service {
    let server: AuthorizationServer

    func run() async throws {
        await cancelWhenGracefulShutdown { await server.maintain() }
    }
}
