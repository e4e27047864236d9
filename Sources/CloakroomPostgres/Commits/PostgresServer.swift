import CloakroomFiles
import Logging
import Metrics
import Synchronization

/// What the connections of one store share: the address, the history of the server, and the partitions that exist.
final class PostgresServer: Sendable {
    let address: PostgresAddress
    let clock: StoreClock
    let months = EventMonths()
    private let logger: Logger
    private let state = Mutex(State())
    private let opened = Counter(label: "cloakroom_store_connections_total", dimensions: [("result", "opened")])
    private let failed = Counter(label: "cloakroom_store_connections_total", dimensions: [("result", "failed")])

    private struct State {
        var timeline: Int64 = 0
        /// The server whose epoch was recorded.
        var epochOf = ""
        var isReachable = true
        var isClosed = false
    }

    /// How long a connection may take.
    static let patience = Duration.seconds(3)

    init(_ address: PostgresAddress, logger: Logger) {
        self.address = address
        self.logger = logger
        clock = StoreClock(logger: logger)
    }

    /// The highest that a connection has seen.
    var timeline: Int64 { state.withLock { $0.timeline } }

    func close() {
        state.withLock { $0.isClosed = true }
    }

    /// Connects to the server that takes writes. Records a new epoch if it continues another history than the one that
    /// was recorded last.
    /// - Parameter limit: how long a statement may run.
    func connect(limit: Duration) throws -> PostgresConnection {
        let (timeline, isClosed) = state.withLock { ($0.timeline, $0.isClosed) }
        guard !isClosed else { throw Unreachable(description: "the store is closed") }
        do {
            let connection = try PostgresConnection.connect(to: address, notBefore: timeline, within: Self.patience)
            if address.pooler == .none {
                _ = try connection.transaction([Self.timeouts(limit, isLocal: false)])
            }
            try recordEpoch(connection)
            opened.increment()
            note(isReachable: true, "")
            return connection
        } catch {
            failed.increment()
            note(isReachable: false, "\(error)")
            throw Unreachable(description: "PostgreSQL cannot be reached: \(error)")
        }
    }

    /// Brings the tables to the version of this build, or checks that this build works with them. Reads the clock.
    /// - Parameter isFilling: whether this is the command that fills the tables from another store.
    func prepareSchema(making: Bool, isFilling: Bool = false) throws -> [Int64] {
        do {
            let connection = try connect(limit: .seconds(60))
            let steps = try Schema.prepare(connection, address, making: making, isFilling: isFilling)
            try recordEpoch(connection)
            try readClock(connection)
            return steps
        } catch let error as UnusableData {
            throw error
        } catch {
            throw UnusableData(.disk, "PostgreSQL cannot be used: \(error)")
        }
    }

    private func readClock(_ connection: PostgresConnection) throws {
        let sent = clock.uptime()
        let rows = try connection.transaction([Statement("SELECT \(StoreClock.sql)")])
        if let time = rows[0].first?.instant(0) { clock.take(time, sent: sent) }
    }

    private func recordEpoch(_ connection: PostgresConnection) throws {
        let name = "\(connection.system)/\(connection.timeline)"
        let isKnown = state.withLock { state in
            state.timeline = max(state.timeline, connection.timeline)
            return state.epochOf == name
        }
        guard !isKnown, try Epochs.record(connection) else { return }
        state.withLock { $0.epochOf = name }
    }

    private func note(isReachable: Bool, _ problem: String) {
        let hasChanged = state.withLock { state in
            defer { state.isReachable = isReachable }
            return state.isReachable != isReachable
        }
        guard hasChanged else { return }
        if isReachable {
            logger.notice("PostgreSQL is reached again")
        } else {
            logger.error("PostgreSQL cannot be reached", metadata: ["problem": "\(problem)"])
        }
    }

    /// Ends statements that wait for a lock, run too long, or leave a transaction open.
    static func timeouts(_ limit: Duration, isLocal: Bool) -> Statement {
        Statement(
            """
            SELECT set_config('lock_timeout', '1500ms', $1), set_config('statement_timeout', $2, $1),
                set_config('idle_in_transaction_session_timeout', '5s', $1)
            """, [.bool(isLocal), .text("\(limit.components.seconds)s")])
    }
}

extension PostgresConnection {
    /// Runs statements as one transaction.
    /// - Throws: `ConnectionLost` and `ServerError`.
    func transaction(_ statements: [Statement], within limit: Duration = .seconds(10)) throws -> [Rows] {
        switch try exchange([statements], within: limit)[0] {
        case .rows(let rows): return rows
        case .failed(_, let error): throw error
        }
    }
}
