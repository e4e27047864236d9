import NIOCore

/// The idle connections of one event loop to one backend. The one that was used last is used next, so that the others
/// age and are closed.
final class UpstreamPool {
    private let endpoint: UpstreamEndpoint
    private let connector: UpstreamConnector
    private let loop: any EventLoop
    private var idle: [UpstreamConnection] = []

    static let maximumIdle = 64
    static let longestIdle = TimeAmount.seconds(30)
    /// Backends close idle connections after as little as two seconds. If a backend closes the connection while an unsafe
    /// request is on its way, the gateway cannot know whether the backend executed it, and cannot retry.
    static let longestIdleForUnsafe = TimeAmount.seconds(1)

    init(_ endpoint: UpstreamEndpoint, connector: UpstreamConnector, loop: any EventLoop) {
        self.endpoint = endpoint
        self.connector = connector
        self.loop = loop
    }

    /// An idle connection; nil when a new one is needed.
    func takeIdle(forSafeMethod isSafe: Bool, at now: NIODeadline) -> UpstreamConnection? {
        while let connection = idle.popLast() {
            let longest = isSafe ? Self.longestIdle : Self.longestIdleForUnsafe
            if connection.isActive, connection.idleSince + longest > now { return connection }
            connection.close()
        }
        return nil
    }

    func connect() -> EventLoopFuture<UpstreamConnection> {
        connector.connect(endpoint, on: loop).assumeIsolated().map { connection in
            connection.pool = self
            return connection
        }
        .nonisolated()
    }

    func giveBack(_ connection: UpstreamConnection) {
        guard connection.isActive, idle.count < Self.maximumIdle else { return connection.close() }
        connection.becomeIdle()
        idle.append(connection)
    }

    /// Takes out a connection that ended while it was idle.
    func forget(_ connection: UpstreamConnection) {
        idle.removeAll { $0 === connection }
    }

    var isEmpty: Bool { idle.isEmpty }

    /// - Returns: whether there was an idle connection.
    func closeOldest() -> Bool {
        guard let oldest = idle.first else { return false }
        idle.removeFirst()
        oldest.close()
        return true
    }

    func closeAged(at now: NIODeadline) {
        while let oldest = idle.first, oldest.idleSince + Self.longestIdle < now {
            idle.removeFirst()
            oldest.close()
        }
    }
}
