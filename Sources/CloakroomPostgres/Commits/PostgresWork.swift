import CloakroomStores

/// What a write asks of its connection next.
///
/// Writes of many members are sent together, without waiting for an answer in between. A write that depends on what was
/// read is therefore guarded by its own text: it changes nothing when a row has changed since, and the member decides
/// again.
indirect enum PostgresStep {
    /// Reads rows. The reads of a group need no transaction.
    case read([Statement], then: ([Rows]) throws -> PostgresStep)
    /// Runs statements in the transaction of the group. `then` gets what they returned once the transaction is
    /// committed, and must not throw. `ifUnknown` is the next step when the connection was lost before the server
    /// acknowledged the commit: it finds out by reading whether the commit took effect.
    case write([Statement], then: ([Rows]) -> PostgresStep, ifUnknown: PostgresStep)
    case done
}

/// A write, or a read, of a group on PostgreSQL.
///
/// Unchecked: the queue passes it from the caller to one thread, and the caller does not touch it again.
final class PostgresWork: GroupWork, @unchecked Sendable {
    /// Members write in this order, so that two groups never wait for each other's rows. Two members with the same text
    /// are never in the same transaction.
    let order: String
    /// Whether a result without a write must be proved to be that of the server that takes writes.
    let isDecision: Bool
    private var body: (() throws -> PostgresStep)?
    /// Where the work goes on after a transaction that did not finish it.
    private var continuation: PostgresStep?

    init(order: String, isDecision: Bool, _ body: @escaping () throws -> PostgresStep) {
        self.order = order
        self.isDecision = isDecision
        self.body = body
    }

    /// The step with which the work begins, or goes on.
    func next() throws -> PostgresStep {
        try continuation ?? body?() ?? .done
    }

    func goOn(with step: PostgresStep) {
        continuation = step
    }

    func release() {
        body = nil
        continuation = nil
    }
}

extension GroupCommit where Work == PostgresWork {
    /// Performs `body` in a group.
    /// - Parameters:
    ///   - order: names the row that the work writes.
    ///   - isDecision: false for a read whose result may be that of a moment ago.
    ///   - body: sets the result, and returns steps.
    func perform<Value: Sendable>(
        _ order: String, isDecision: Bool = true, _ body: @Sendable (WorkResult<Value>) throws -> PostgresStep
    ) async throws -> Value {
        let result = WorkResult<Value>()
        try await withoutActuallyEscaping(body) { body in
            try await commit(PostgresWork(order: order, isDecision: isDecision) { try body(result) })
        }
        return result.committed
    }

    /// Reads rows.
    /// - Parameter isDecision: as with `perform`.
    func read<Value: Sendable>(
        _ statements: [Statement], isDecision: Bool = false, _ body: @escaping @Sendable ([Rows]) throws -> Value
    ) async throws -> Value {
        try await perform("", isDecision: isDecision) { result in
            .read(statements) { rows in
                result.value = try body(rows)
                return .done
            }
        }
    }
}
