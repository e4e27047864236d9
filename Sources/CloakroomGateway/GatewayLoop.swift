import CloakroomCore
import CloakroomMiddleware
import NIOCore

/// A connection of a browser, as the timer of its event loop sees it.
protocol LoopMember: AnyObject {
    /// Since when it has no request; nil while it has one.
    var idleSince: NIODeadline? { get }
    func tick(at now: NIODeadline)
    func drain()
    func close()
}

/// What the connections of one event loop share: connections to the backends, and one timer for all of them.
final class GatewayLoop {
    let eventLoop: any EventLoop
    let executor: EventLoopExecutor
    private let connector: UpstreamConnector
    private var pools: [UpstreamEndpoint: UpstreamPool] = [:]
    private var connections: [ObjectIdentifier: any LoopMember] = [:]
    private var isTicking = false

    /// How often deadlines and the sessions of open streams are looked at.
    static let tick = TimeAmount.milliseconds(250)

    init(_ eventLoop: any EventLoop, connector: UpstreamConnector) {
        self.eventLoop = eventLoop
        executor = EventLoopExecutor(eventLoop)
        self.connector = connector
    }

    func pool(_ endpoint: UpstreamEndpoint) -> UpstreamPool {
        if let known = pools[endpoint] { return known }
        let pool = UpstreamPool(endpoint, connector: connector, loop: eventLoop)
        pools[endpoint] = pool
        return pool
    }

    func add(_ connection: any LoopMember) {
        connections[ObjectIdentifier(connection)] = connection
        guard !isTicking else { return }
        isTicking = true
        scheduleTick()
    }

    func remove(_ connection: any LoopMember) {
        connections[ObjectIdentifier(connection)] = nil
    }

    func drain() {
        for connection in Array(connections.values) { connection.drain() }
    }

    /// Closes the connections that have been idle for longest.
    func closeIdle(atMost count: Int) {
        let idle = connections.values.compactMap { connection in
            connection.idleSince.map { (since: $0, connection: connection) }
        }
        for member in idle.sorted(by: { $0.since < $1.since }).prefix(count) { member.connection.close() }
    }

    /// Closes an idle connection to a backend, so that one to another can be opened.
    /// - Returns: whether there was one.
    func closeIdleUpstream() -> Bool {
        for pool in pools.values where pool.closeOldest() { return true }
        return false
    }

    private func scheduleTick() {
        eventLoop.assumeIsolated().scheduleTask(in: Self.tick) { self.look() }
    }

    /// The timer stops when it has nothing to look at.
    private func look() {
        let now = NIODeadline.now()
        for connection in Array(connections.values) { connection.tick(at: now) }
        var hasIdle = false
        for pool in pools.values {
            pool.closeAged(at: now)
            hasIdle = hasIdle || !pool.isEmpty
        }
        isTicking = !connections.isEmpty || hasIdle
        if isTicking { scheduleTick() }
    }
}
