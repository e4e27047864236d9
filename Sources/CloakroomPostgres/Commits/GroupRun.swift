import CloakroomStores

/// One run of a group: reads until every member has decided, then writes what they decided.
struct GroupRun {
    private let group: [PostgresWork]
    private let connection: PostgresConnection
    private let server: PostgresServer
    private let limit: Duration
    private var steps: [PostgresStep] = []

    init(_ group: [PostgresWork], _ connection: PostgresConnection, _ server: PostgresServer, _ limit: Duration) {
        self.group = group
        self.connection = connection
        self.server = server
        self.limit = limit
    }

    /// - Throws: `ConnectionLost`, and errors that concern the whole group.
    mutating func run() throws -> GroupOutcome {
        for (index, work) in group.enumerated() {
            do { steps.append(try work.next()) } catch { return .memberFailed(index, error) }
        }
        while true {
            if let failure = try readAll() { return failure }
            let isReading = steps.contains { if case .read = $0 { true } else { false } }
            if !isReading { return try writeAll() }
        }
    }

    /// - Returns: the failure of a member; nil if there was none.
    private mutating func readAll() throws -> GroupOutcome? {
        var (statements, owners): ([Statement], [Int]) = ([], [])
        for (index, step) in steps.enumerated() {
            guard case .read(let own, _) = step else { continue }
            statements += own
            owners += own.map { _ in index }
        }
        guard !statements.isEmpty else { return takeReads([]) }
        switch try connection.exchange([statements], within: limit)[0] {
        case .failed(let statement, let error): return try failure(error, of: statement.map { owners[$0] })
        case .rows(let rows): return takeReads(rows)
        }
    }

    private mutating func takeReads(_ rows: [Rows]) -> GroupOutcome? {
        var rows = rows[...]
        for (index, step) in steps.enumerated() {
            guard case .read(let own, let then) = step else { continue }
            defer { rows = rows.dropFirst(own.count) }
            do { steps[index] = try then(Array(rows.prefix(own.count))) } catch { return .memberFailed(index, error) }
        }
        return nil
    }

    private mutating func writeAll() throws -> GroupOutcome {
        var (writers, postponed) = writers()
        guard !writers.isEmpty || group.contains(where: \.isDecision) else { return .committed(again: []) }
        let lead = server.address.pooler.localSettings(limit)
        var statements: [Statement] = []
        var owners: [Int] = []
        for index in writers {
            guard case .write(let own, _, _) = steps[index] else { continue }
            statements += own
            owners += own.map { _ in index }
        }
        try server.months.prepare(statements, on: connection)
        do {
            switch try connection.exchange([lead + statements + [Self.record]], within: limit)[0] {
            case .failed(let statement, let error):
                return try failure(error, of: statement.flatMap { owner(of: $0 - lead.count, owners) })
            case .rows(let rows): postponed += takeWrites(writers, rows.dropFirst(lead.count))
            }
        } catch let loss as ConnectionLost {
            for index in writers {
                if case .write(_, _, let ifUnknown) = steps[index] { group[index].goOn(with: ifUnknown) }
            }
            throw loss
        }
        return .committed(again: postponed)
    }

    /// - Returns: the member that sent the statement; nil for those of the group.
    private func owner(of statement: Int, _ owners: [Int]) -> Int? {
        owners.indices.contains(statement) ? owners[statement] : nil
    }

    /// A record in the log, for transactions that change no row. A primary that was replaced goes on to answer reads, from
    /// which "there is nothing to end" would follow. With synchronous replication it acknowledges no commit that has a
    /// record.
    private static let record = Statement("SELECT pg_logical_emit_message(true, 'cloakroom', '')")

    /// The members that write, in the order of their rows, and those that must wait for the next transaction because
    /// another one writes the same row.
    private func writers() -> (writers: [Int], postponed: [Int]) {
        let sorted = steps.indices.filter { if case .write = steps[$0] { true } else { false } }
            .sorted { (group[$0].order, $0) < (group[$1].order, $1) }
        var (writers, postponed): ([Int], [Int]) = ([], [])
        for index in sorted {
            let isSame = writers.last.map { group[$0].order == group[index].order } ?? false
            if isSame, !group[index].order.isEmpty { postponed.append(index) } else { writers.append(index) }
        }
        return (writers, postponed)
    }

    /// - Returns: the members that are not done.
    private func takeWrites(_ writers: [Int], _ rows: ArraySlice<Rows>) -> [Int] {
        var rows = rows
        return writers.filter { index in
            guard case .write(let own, let then, _) = steps[index] else { return false }
            defer { rows = rows.dropFirst(own.count) }
            let next = then(Array(rows.prefix(own.count)))
            if case .done = next { return false }
            group[index].goOn(with: next)
            return true
        }
    }

    private func failure(_ error: ServerError, of member: Int?) throws -> GroupOutcome {
        switch error.consequence {
        case .connectionLost, .readOnly: throw error
        case .unavailable: return .failed(error)
        case .conflict: return group.count > 1 ? .someMemberFailed(error) : .committed(again: [0])
        case .statement: return member.map { .memberFailed($0, error) } ?? .someMemberFailed(error)
        }
    }
}

extension PostgresAddress.Pooler {
    /// The limits of one transaction, where a connection has no settings of its own.
    func localSettings(_ limit: Duration) -> [Statement] {
        switch self {
        case .none: []
        case .transaction: [PostgresServer.timeouts(limit, isLocal: true)]
        }
    }
}
