import CloakroomCore
import CloakroomEndpoints
import CloakroomGateway
import CloakroomMiddleware
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The HTTP server of an instance: the public listener, and the private one if it is configured.
struct Server {
    let instance: Instance
    let metrics: PrometheusRegistry
    let sockets: InheritedSockets

    /// How long requests in flight may take to finish after a signal to stop.
    private static let patience = Duration.seconds(10)

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        let shares = DescriptorShares(of: Descriptors.raiseLimit(), hasGateway: instance.settings.routes != nil)
        let crowding = Crowding()
        let lines = StartLines(expectsPrivate: instance.settings.privateListener != nil)
        let certificate = try ServerCertificate.chosen(by: instance.settings, now: instance.environment.now)
        let cap = cap(shares.publicListener, crowding)
        let (front, checks) = try front(
            certificate, crowding, peers: peerShares(of: cap.maximum), upstreamDescriptors: shares.upstream)
        let listeners: [any Service] =
            [
                publicApplication(front, lines, cap, isTLS: certificate != nil),
                Reloads(certificate: certificate),
            ]
            + checks + (try privateApplication(lines, self.cap(shares.privateListener, Crowding())).map { [$0] } ?? [])
        let delay = Duration.milliseconds(instance.settings.listeners.shutdownDelay.milliseconds)
        let configuration = ServiceGroupConfiguration(
            services: [.init(service: BackgroundWork { [server = instance.server] in await server.maintain() })]
                + listeners.map { .init(service: $0) }
                // The last one learns of the shutdown first, and the one before it when the last one has ended.
                + [
                    .init(service: ShutdownDelay(server: instance.server, delay: delay)),
                    .init(service: ShutdownLimit(patience: delay + Self.patience)),
                ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "cloakroom.lifecycle"))
        try await ServiceGroup(configuration: configuration).run()
    }

    private var limits: ListenerLimits {
        var limits = ListenerLimits()
        limits.requestDeadline = .milliseconds(instance.settings.listeners.requestTimeout.milliseconds)
        return limits
    }

    /// What answers on the public listener: the gateway where there are routes, otherwise the framework.
    private func front(
        _ certificate: ServerCertificate?, _ crowding: Crowding, peers: PeerShares, upstreamDescriptors: Int
    ) throws -> (ChannelBuilder, [any Service]) {
        guard let routes = instance.settings.routes else {
            let plain: @Sendable (any Channel) throws -> Void = { _ in }
            let secure = certificate?.securing(offering: [.http1]) ?? plain
            let (server, limits, timers) = (instance.server, limits, RequestTimers())
            let renewals = timers.recording("POST", "/auth/refresh")
            let admitting: @Sendable (any Channel) throws -> Void = { channel in
                try peers.admit(channel)
                try secure(channel)
            }
            return (
                { ListenerChannel.publicEndpoints(server, limits, $0, securing: admitting, observing: renewals) }, []
            )
        }
        let gateway = try GatewayListener(
            instance.server, routes, loginPage: instance.settings.server.loginPage, limits: limits,
            upstreamDescriptors: upstreamDescriptors, crowding: crowding, peers: peers, certificate: certificate)
        return (gateway.channels, [BackgroundWork { await gateway.checks.run() }])
    }

    private func publicApplication(
        _ front: @escaping ChannelBuilder, _ lines: StartLines, _ cap: ConnectionCap, isTLS: Bool
    ) -> any Service {
        let settings = instance.settings
        let router = Router(context: BasicSessionRequestContext.self)
        router.add(middleware: RequestMetrics())
        router.addCloakroom(instance.server)
        if settings.process.isDemo { Demo(now: instance.environment.now).addRoutes(to: router) }
        let listener = settings.listeners
        let host = listener.host.contains(":") ? "[\(listener.host)]" : listener.host
        let scheme = isTLS ? "https" : "http"
        let application = application(
            router, front, on: sockets.publicSocket, or: .hostname(listener.host, port: listener.port), cap,
            Logger(label: "cloakroom.http")
        ) { channel in
            let port = channel.localAddress?.port ?? listener.port
            await lines.publicListener("cloakroom: listening on \(scheme)://\(host):\(port)")
        }
        return NamedListener(
            service: application, address: "\(host):\(listener.port)", setting: "--host and --port")
    }

    private func privateApplication(_ lines: StartLines, _ cap: ConnectionCap) throws -> (any Service)? {
        guard let listener = instance.settings.privateListener else { return nil }
        if sockets.privateSocket == nil { try listener.checkSocket() }
        let router = Router(context: PrivateRequestContext.self)
        router.add(middleware: RequestMetrics())
        router.addPrivateEndpoints(instance.server, host: listener.host, metrics: { metrics.text })
        // Room for a target of 16 KiB and the cookies.
        var limits = limits
        limits.longestHeader = 17 * 1024
        limits.longestHead = 64 * 1024
        let isInherited = sockets.privateSocket != nil
        let (server, headLimits, timers) = (instance.server, limits, RequestTimers())
        let application = application(
            router,
            {
                ListenerChannel.privateEndpoints(
                    server, headLimits, $0, observing: timers.recording("GET", "/auth/check"))
            }, on: sockets.privateSocket, or: listener.bindAddress, cap, Logger(label: "cloakroom.private")
        ) { channel in
            do { if !isInherited { try listener.restrictSocket() } } catch {
                Terminal.complain("\(error)")
                return channel.close(promise: nil)
            }
            let place = listener.description(port: channel.localAddress?.port)
            await lines.privateListener("cloakroom: private listener on \(place)")
        }
        return NamedListener(
            service: application, address: listener.description(port: nil), setting: "--private-listen")
    }

    /// What serves a listener: on an inherited socket, otherwise on one that it binds.
    private func application<Context>(
        _ router: Router<Context>, _ channels: @escaping ChannelBuilder, on socket: CInt?, or address: BindAddress,
        _ cap: ConnectionCap, _ logger: Logger, onRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> any Service where Context: InitializableFromSource<ApplicationRequestContextSource> {
        if let socket {
            return InheritedListener(
                socket: socket, responder: router.buildResponder(), channels: channels, cap: cap,
                now: instance.environment.now, logger: logger, onRunning: onRunning)
        }
        return Application(
            router: router, server: HTTPServerBuilder(channels),
            configuration: .init(address: address, availableConnectionsDelegate: cap),
            onServerRunning: onRunning, logger: logger)
    }

    private func peerShares(of maximum: Int) -> PeerShares {
        PeerShares(
            of: maximum, trusting: instance.settings.server.trustedProxies,
            log: SampledLog(logger: Logger(label: "cloakroom.http")))
    }

    private func cap(_ share: Int, _ crowding: Crowding) -> ConnectionCap {
        ConnectionCap(
            maximum: min(instance.settings.listeners.maximumConnections ?? share, share), crowding: crowding,
            log: SampledLog(logger: Logger(label: "cloakroom.http")))
    }
}

/// Runs background work until the server stops.
private struct BackgroundWork: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown { await work() }
    }
}

/// Prints the addresses of the listeners when both accept connections, the public one first, and reports to the service
/// manager.
private actor StartLines {
    private let expectsPrivate: Bool
    private var publicLine: String?
    private var privateLine: String?

    init(expectsPrivate: Bool) {
        self.expectsPrivate = expectsPrivate
    }

    func publicListener(_ line: String) {
        publicLine = line
        printWhenComplete()
    }

    func privateListener(_ line: String) {
        privateLine = line
        printWhenComplete()
    }

    private func printWhenComplete() {
        guard let publicLine, !expectsPrivate || privateLine != nil else { return }
        Terminal.print(publicLine)
        if let privateLine { Terminal.print(privateLine) }
        ServiceManager()?.reportReady()
    }
}
