import CPQ
import Foundation

/// No server that takes writes could be reached.
struct Unreachable: Error, CustomStringConvertible {
    let description: String
}

extension PostgresConnection {
    /// Connects to all hosts at once, and keeps the server that takes writes and continues the longest history.
    ///
    /// libpq itself tries one host after the other, and a host that accepts connections and never answers would hold up
    /// each attempt. A primary that was replaced may still take writes, which are lost later: it has a lower timeline.
    /// - Parameter timeline: the highest that this process has seen. A server with a lower one is refused.
    static func connect(
        to address: PostgresAddress, notBefore timeline: Int64, within limit: Duration
    ) throws -> PostgresConnection {
        let end = ContinuousClock.now + limit
        var problems: [String] = []
        var best: PostgresConnection?
        for handle in establish(address, &problems, before: end) {
            let connection = PostgresConnection(handle, usesNames: address.pooler == .none)
            do {
                try connection.askRole(within: max(.milliseconds(1), ContinuousClock.now.duration(to: end)))
                guard connection.timeline >= timeline else { throw Unreachable(description: "it is an old primary") }
                if connection.timeline > best?.timeline ?? -1 { best = connection }
            } catch { problems.append("\(error)") }
        }
        guard let best else {
            throw Unreachable(description: "\(address): \(Set(problems).sorted().joined(separator: "; "))")
        }
        return best
    }

    /// How long the other hosts may take once one has answered.
    private static let grace = Duration.milliseconds(250)

    /// Connects to all hosts in parallel.
    /// - Returns: the established connections.
    private static func establish(
        _ address: PostgresAddress, _ problems: inout [String], before end: ContinuousClock.Instant
    ) -> [OpaquePointer] {
        var end = end
        var waiting = address.hosts.compactMap(start).map { (handle: $0, state: PGRES_POLLING_WRITING) }
        var established: [OpaquePointer] = []
        while !waiting.isEmpty {
            let sockets = waiting.map { (PQsocket($0.handle), $0.state == PGRES_POLLING_WRITING) }
            guard Sockets.wait(sockets, before: end) else { break }
            for index in waiting.indices.reversed() where isReady(waiting[index]) {
                let handle = waiting[index].handle
                waiting[index].state = PQconnectPoll(handle)
                switch waiting[index].state {
                case PGRES_POLLING_OK:
                    established.append(handle)
                    end = min(end, ContinuousClock.now + grace)
                    waiting.remove(at: index)
                case PGRES_POLLING_FAILED:
                    problems.append(
                        String(cString: PQerrorMessage(handle)).trimmingCharacters(in: .whitespacesAndNewlines))
                    PQfinish(handle)
                    waiting.remove(at: index)
                default: break
                }
            }
        }
        if !waiting.isEmpty { problems.append("no answer in time") }
        for attempt in waiting { PQfinish(attempt.handle) }
        return established
    }

    private static func isReady(_ attempt: (handle: OpaquePointer, state: PostgresPollingStatusType)) -> Bool {
        Sockets.wait(
            [(PQsocket(attempt.handle), attempt.state == PGRES_POLLING_WRITING)], before: .now + .milliseconds(1))
    }

    private static func start(_ parameters: [String: String]) -> OpaquePointer? {
        let defaults = ["application_name": "cloakroom", "client_encoding": "UTF8"]
        let pairs = Array(parameters.merging(defaults) { own, _ in own })
        let keywords = pairs.map { strdup($0.key) } + [nil]
        let values = pairs.map { strdup($0.value) } + [nil]
        defer { for text in keywords + values { free(text) } }
        return PQconnectStartParams(keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 0)
    }

    /// The timeline is that of the log which is written now. `pg_control_checkpoint` names the old one until the first
    /// checkpoint after a promotion, which may take minutes.
    private func askRole(within limit: Duration) throws {
        let question = Statement(
            """
            SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
                CASE WHEN NOT pg_is_in_recovery()
                    THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int8 END,
                (SELECT system_identifier::text FROM pg_control_system())
            """)
        switch try exchange([[question]], within: limit)[0] {
        case .failed(_, let error): throw error
        case .rows(let rows):
            guard let row = rows[0].first, !row.bool(0) else { throw Unreachable(description: "it takes no writes") }
            timeline = row.int(1)
            system = row.text(2)
        }
    }
}
