package import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
package import Logging
package import NIOCore
import Synchronization

/// A reverse proxy that checks sessions: what all its connections share.
package final class Gateway: Sendable {
    /// How long a session may still be used if nothing happens, or the reason against it.
    package typealias Recheck = @Sendable (SessionID) async throws -> Result<Span, Denial>

    /// Called at the end of each response that is not of our own endpoints.
    /// - `route`: the pattern of the rule; nil when none matched.
    package typealias Observe =
        @Sendable (_ route: String?, _ method: String, _ status: Int, _ duration: Duration) -> Void

    let rules: GatewayRules
    let cookies: OwnCookies
    let connector: UpstreamConnector
    let budget: UpstreamBudget
    let health: UpstreamHealth
    let recheck: Recheck
    let log: SampledLog
    let denials: DenialLog
    let observe: Observe
    /// The scheme by which browsers reach this server.
    let scheme: String
    /// The security headers of our own answers.
    let protection: [UInt8]
    let limits: GatewayLimits
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<GatewayLoop>]>([:])

    /// - Parameters:
    ///   - own: opens a connection to our own endpoints.
    ///   - securing: adds TLS to a connection to a backend.
    ///   - recheck: asks the store about the session of an open stream.
    package init(
        rules: GatewayRules, isHTTPS: Bool, demandsTLS: Bool, health: UpstreamHealth,
        limits: GatewayLimits = GatewayLimits(),
        own: @escaping UpstreamConnector.OwnConnection, securing: @escaping UpstreamConnector.Securing,
        recheck: @escaping Recheck, observe: @escaping Observe, logger: Logger
    ) {
        self.rules = rules
        self.limits = limits
        self.health = health
        self.recheck = recheck
        cookies = OwnCookies(rules.authorizer.cookie, hasFlows: !rules.originPolicy.hosts.isEmpty)
        budget = UpstreamBudget(maximum: limits.upstreamDescriptors)
        connector = UpstreamConnector(own: own, secure: securing, budget: budget)
        self.observe = observe
        log = SampledLog(logger: logger)
        denials = DenialLog(logger: logger)
        scheme = isHTTPS ? "https" : "http"
        protection = SecurityHeaders<BasicSessionRequestContext>.fieldsOfData(demandsTLS: demandsTLS)
            .flatMap { Array("\($0.name.rawName): \($0.value)\r\n".utf8) }
    }

    /// Makes a connection of a browser one of this gateway's.
    /// - Parameter channel: one that was just accepted; call it on its event loop.
    package func serve(_ channel: any Channel) throws {
        try serve(channel, peer: channel.remoteAddress?.ipAddress, isStream: false)
    }

    /// - Parameter peer: the address of the client's connection.
    func serve(_ channel: any Channel, peer: String?, isStream: Bool) throws {
        let loop = self.loop(channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(FrontConnection(self, loop, peer: peer, isStream: isStream))
    }

    /// Ends what has no end of its own on the event loop, because the server stops.
    func drain(_ eventLoop: any EventLoop) {
        loop(eventLoop).drain()
    }

    /// Closes some of the connections that have been idle for longest, so that others can be accepted.
    package func closeIdle() {
        for loop in loops.withLock({ Array($0.values) }) {
            loop.eventLoop.execute { loop.value.closeIdle(atMost: Self.closedAtOnce) }
        }
    }

    /// Of each event loop. Looking for them costs more than closing them.
    private static let closedAtOnce = 16

    func loop(_ eventLoop: any EventLoop) -> GatewayLoop {
        loops.withLock { loops in
            if let known = loops[ObjectIdentifier(eventLoop)] { return known.value }
            let loop = GatewayLoop(eventLoop, connector: connector)
            loops[ObjectIdentifier(eventLoop)] = NIOLoopBound(loop, eventLoop: eventLoop)
            return loop
        }
    }
}

/// The time and size limits of the gateway's connections to browsers.
package struct GatewayLimits: Sendable {
    /// From the first byte of a head to its last.
    package var head = TimeAmount.seconds(10)
    /// Between two requests.
    package var idle = TimeAmount.seconds(60)
    /// Without a byte of a body that the client has to send, or read.
    package var stalledClient = TimeAmount.seconds(60)
    /// In bytes.
    package var longestHead = 32 * 1024
    /// Of the connections to backends and to our own endpoints.
    package var upstreamDescriptors = 4096

    package init() {}
}
