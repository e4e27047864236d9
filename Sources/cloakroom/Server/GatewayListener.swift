import CloakroomCore
import CloakroomEndpoints
import CloakroomGateway
import CloakroomMiddleware
import CloakroomSessions
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

extension GatewayChannel {
    /// The gateway in front of the public endpoints: what no route can take, the framework answers.
    static func builder(
        _ routes: RouteTable, loginPage: String, in front: AuthorizationServer, _ limits: ListenerLimits,
        health: UpstreamHealth, backends: BackendTLS, upstreamDescriptors: Int, crowding: Crowding,
        admitting: @escaping @Sendable (any Channel) throws -> Void,
        securing: (@Sendable (any Channel) throws -> Void)?
    ) -> ChannelBuilder {
        { responder in
            let rules = GatewayRules(
                routes: routes, authorizer: front.authorizer, originPolicy: front.originPolicy, xsrf: front.xsrf,
                trustedProxies: front.configuration.trustedProxies,
                loginPage: loginPage)
            let timers = RequestTimers()
            let endpoints = InternalEndpoints(
                front, limits, responder, observing: timers.recording("POST", "/auth/refresh"))
            let sessions = front.sessions
            var gatewayLimits = GatewayLimits()
            gatewayLimits.upstreamDescriptors = upstreamDescriptors
            gatewayLimits.head = min(gatewayLimits.head, .nanoseconds(limits.requestDeadline.wholeNanoseconds))
            let gateway = Gateway(
                rules: rules, isHTTPS: front.isHTTPS, demandsTLS: front.demandsTLS, health: health,
                limits: gatewayLimits, own: endpoints.connect, securing: backends.secure,
                recheck: { try await sessions.remaining(of: $0) },
                observe: { timers.record(route: $0, method: $1, status: $2, $3) },
                logger: Logger(label: "cloakroom.gateway"))
            crowding.relieve(by: gateway.closeIdle)
            return GatewayChannel(gateway, admitting: admitting, securing: securing)
        }
    }
}
