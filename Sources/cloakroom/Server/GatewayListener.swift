import CloakroomCore
import CloakroomEndpoints
import CloakroomGateway
import CloakroomMiddleware
import CloakroomSessions
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// The gateway in front of the public endpoints: what no route can take, the framework answers.
struct GatewayListener: Sendable {
    let server: AuthorizationServer
    let routes: RouteTable
    let loginPage: String
    let limits: ListenerLimits
    /// How many connections to backends may be open.
    let upstreamDescriptors: Int
    let crowding: Crowding
    let peers: PeerShares
    /// nil for plain HTTP.
    let certificate: ServerCertificate?
    private let health = UpstreamHealth()
    private let backends: BackendTLS

    /// - Throws: if the certificates that the system trusts cannot be read.
    init(
        _ server: AuthorizationServer, _ routes: RouteTable, loginPage: String, limits: ListenerLimits,
        upstreamDescriptors: Int, crowding: Crowding, peers: PeerShares, certificate: ServerCertificate?
    ) throws {
        self.server = server
        self.routes = routes
        self.loginPage = loginPage
        self.limits = limits
        self.upstreamDescriptors = upstreamDescriptors
        self.crowding = crowding
        self.peers = peers
        self.certificate = certificate
        backends = try BackendTLS()
    }

    /// Accepts connections.
    var channels: ChannelBuilder {
        { responder in
            let gateway = gateway(responder)
            crowding.relieve(by: gateway.closeIdle)
            return GatewayChannel(
                gateway, admitting: peers.admit, securing: certificate?.securing(offering: [.http2, .http1]))
        }
    }

    /// Asks the backends whether they are well.
    var checks: HealthChecks {
        HealthChecks(
            routes, health: health, securing: backends.secure, logger: Logger(label: "cloakroom.gateway"))
    }

    private func gateway(_ responder: @escaping HTTPChannelHandler.Responder) -> Gateway {
        let timers = RequestTimers()
        let endpoints = InternalEndpoints(
            server, limits, responder, observing: timers.recording("POST", "/auth/refresh"))
        return Gateway(
            rules: rules, isHTTPS: server.isHTTPS, demandsTLS: server.demandsTLS, health: health,
            limits: gatewayLimits, own: endpoints.connect, securing: backends.secure,
            recheck: { [sessions = server.sessions] in try await sessions.remaining(of: $0) },
            observe: { timers.record(route: $0, method: $1, status: $2, $3) },
            logger: Logger(label: "cloakroom.gateway"))
    }

    private var rules: GatewayRules {
        GatewayRules(
            routes: routes, authorizer: server.authorizer, originPolicy: server.originPolicy, xsrf: server.xsrf,
            trustedProxies: server.configuration.trustedProxies, loginPage: loginPage)
    }

    private var gatewayLimits: GatewayLimits {
        var gatewayLimits = GatewayLimits()
        gatewayLimits.upstreamDescriptors = upstreamDescriptors
        gatewayLimits.head = min(gatewayLimits.head, .nanoseconds(limits.requestDeadline.wholeNanoseconds))
        return gatewayLimits
    }
}
