import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomService
import CloakroomTokens
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The HTTP server over an instance, with what runs beside it.
struct Server {
    let instance: Instance
    let metrics: PrometheusRegistry
    private let logger = Logger(label: "cloakroom.http")

    /// How long requests in flight may take to finish after a signal to stop.
    private static let patience = Duration.seconds(10)

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        let settings = instance.settings
        let sightings = SightingQueue(
            store: instance.store, policy: settings.policy, environment: instance.environment, logger: logger)
        let feed = RevocationFeed(
            store: instance.store, view: instance.verifier.revocations, environment: instance.environment,
            logger: logger)
        let sweeper = Sweeper(
            store: instance.store, policy: settings.policy, environment: instance.environment, logger: logger)
        try await feed.catchUp()
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: Background { await feed.run() }),
                .init(service: Background { await sightings.run() }),
                .init(service: Background { await sweeper.run() }),
                .init(service: Background { [instance, logger] in await KeyWatch(instance, logger: logger).run() }),
                .init(service: application(sightings, feed)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "cloakroom.lifecycle"))
        configuration.maximumGracefulShutdownDuration = Self.patience
        try await ServiceGroup(configuration: configuration).run()
        await sightings.flush()
    }

    private func application(_ sightings: SightingQueue, _ feed: RevocationFeed) -> some Service {
        let settings = instance.settings
        return Application(
            router: router(sightings, feed),
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 200))),
            configuration: .init(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { channel in
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                Terminal.print("cloakroom: listening on http://\(host):\(channel.localAddress?.port ?? settings.port)")
            },
            logger: logger)
    }

    private func router(_ sightings: SightingQueue, _ feed: RevocationFeed) -> Router<BasicSessionRequestContext> {
        let settings = instance.settings
        let store = instance.store
        let cookie = SessionCookie(
            sameSite: settings.sameSite, isLoopbackDevelopment: settings.isLoopbackDevelopment)
        let policy = OriginPolicy(ownOrigin: settings.publicURL, trustedOrigins: Set(settings.trustedOrigins))
        let server = AuthorizationServer(
            service: instance.service, cookie: cookie, originPolicy: policy, trustedProxies: settings.trustedProxies,
            issuer: settings.issuer, sightings: sightings, feed: feed,
            isReady: { (try? await store.ping()) != nil }, logger: logger)
        let router = Router(context: BasicSessionRequestContext.self)
        router.add(middleware: RequestMetrics())
        router.add(middleware: SecurityHeaders(isHTTPS: settings.publicURL?.scheme == "https"))
        router.add(middleware: CrossOriginSharing(trustedOrigins: policy.trustedOrigins))
        router.add(middleware: ProblemMiddleware())
        router.add(middleware: MetricsEndpoint(registry: metrics))
        router.add(middleware: AuthEndpoints(server))
        router.add(middleware: OriginMiddleware(policy, cookie: cookie))
        router.add(middleware: SessionMiddleware(server.authorizer))
        if settings.demo { Demo(now: instance.environment.now).addRoutes(to: router) }
        return router
    }
}

/// Work that runs until the server stops.
private struct Background: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown(work)
    }
}

/// Takes over keys that the command line has changed.
private struct KeyWatch {
    let instance: Instance
    let logger: Logger
    private static let period = Duration.seconds(1)

    init(_ instance: Instance, logger: Logger) {
        self.instance = instance
        self.logger = logger
    }

    func run() async {
        var known = instance.keyFiles.fingerprint
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.period)
            let current = instance.keyFiles.fingerprint
            guard current != known else { continue }
            do {
                guard let ring = try instance.keyFiles.read() else { continue }
                instance.verifier.replaceKeys(with: ring)
                known = current
                logger.notice("the keys were read again")
            } catch {
                logger.error("the keys could not be read again", metadata: ["error": "\(error)"])
            }
        }
    }
}

extension KeyFiles {
    /// What changes when one of the files is replaced.
    fileprivate var fingerprint: [UInt64] {
        [Self.signingKeys, Self.refreshSecrets].flatMap { name -> [UInt64] in
            var status = stat()
            guard stat(directory.file(name), &status) == 0 else { return [0, 0] }
            return [UInt64(status.st_ino), UInt64(status.st_mtim.tv_sec)]
        }
    }
}
