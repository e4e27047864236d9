import CloakroomStores

/// The charges of one caller, or what it gives back.
///
/// A row has the time, in microseconds, at which its allowance will be whole again if no more tries come. A try moves
/// it ahead by its cost, and is refused if that is further from now than the interval of the allowance. It is the
/// counter that drains of `AllowanceSketch`, in one number.
final class AllowanceWork: GroupWork {
    enum Request: Sendable {
        case charge([[AllowanceCharge]])
        case giveBack([AllowanceReceipt])
    }

    let request: Request
    let result = WorkResult<[Result<AllowanceReceipt, AllowanceShortage>]>()

    init(_ request: Request) {
        self.request = request
    }

    func release() {}

    /// Whether it may run again when it is not known whether it took effect. A try that is charged twice gets less,
    /// and time restores it. To give back twice would restore the charges of others.
    var isRepeatable: Bool {
        switch request {
        case .charge: true
        case .giveBack: false
        }
    }

    var names: [[UInt8]] {
        switch request {
        case .charge(let tries): tries.flatMap { $0.map(\.name) }
        case .giveBack(let receipts): receipts.flatMap { $0.charges.map(\.name) }
        }
    }

    var statements: [Statement] {
        switch request {
        case .charge(let tries): tries.map(Self.charge)
        case .giveBack(let receipts): receipts.map(Self.giveBack)
        }
    }

    /// Takes what the statements returned.
    func take(_ rows: [Rows]) {
        switch request {
        case .charge(let tries): result.value = zip(tries, rows).map { Self.answer($0, $1.first) }
        case .giveBack: result.value = []
        }
    }

    /// The time of the database, in microseconds.
    static let clock = "(extract(epoch FROM clock_timestamp()) * 1000000)::int8"

    /// Those of a database whose clock was set back are too far ahead. They count as whole allowances at most.
    private static func charge(_ charges: [AllowanceCharge]) -> Statement {
        Statement(
            """
            WITH clock AS MATERIALIZED (SELECT \(clock) AS now),
            asked AS MATERIALIZED (
                SELECT a.index, a.name, now, now + a.span AS latest,
                    least(greatest(kept.restored_at, now), now + a.span) + a.cost AS until
                FROM unnest($1, $2, $3) WITH ORDINALITY AS a (name, cost, span, index)
                JOIN cloakroom.allowances AS kept ON kept.name = a.name CROSS JOIN clock),
            most AS MATERIALIZED (SELECT index, now, until - latest AS wait FROM asked ORDER BY wait DESC, index LIMIT 1),
            charged AS (
                UPDATE cloakroom.allowances AS kept SET restored_at = asked.until FROM asked, most
                WHERE kept.name = asked.name AND most.wait <= 0)
            SELECT index, now, wait FROM most
            """, values(charges))
    }

    private static func giveBack(_ receipt: AllowanceReceipt) -> Statement {
        Statement(
            """
            UPDATE cloakroom.allowances AS kept
            SET restored_at = kept.restored_at - greatest(0, a.cost - greatest(0, \(clock) - $4))
            FROM unnest($1, $2, $3) AS a (name, cost, span) WHERE kept.name = a.name
            """, values(receipt.charges) + [.int(microseconds(receipt.time))])
    }

    private static func values(_ charges: [AllowanceCharge]) -> [SQLValue] {
        [
            .bytesList(charges.map(\.name)), .ints(charges.map { microseconds($0.cost) }),
            .ints(charges.map { microseconds($0.interval) }),
        ]
    }

    /// - Parameter row: nil for a try without charges.
    private static func answer(
        _ charges: [AllowanceCharge], _ row: SQLRow?
    ) -> Result<AllowanceReceipt, AllowanceShortage> {
        guard let row, row.int(2) > 0 else {
            return .success(AllowanceReceipt(charges: charges, time: .microseconds(row?.int(1) ?? 0)))
        }
        return .failure(AllowanceShortage(index: Int(row.int(0)) - 1, wait: .microseconds(row.int(2))))
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}

extension AllowanceWork {
    /// Carries out a group in one transaction. It locks all rows of the group first, in the order of their names: two
    /// groups never wait for each other's rows.
    ///
    /// The commit does not wait for the disk or the standby, so that a row that many tries charge is not locked for
    /// that long. A crash of the database loses the charges of the last moment.
    static func perform(_ group: [AllowanceWork], in lane: Lane) -> GroupOutcome {
        let head = [Self.asynchronous, Self.lock(group.flatMap(\.names))]
        let statements = group.map(\.statements)
        let work = PostgresWork(order: "allowances", isDecision: true) {
            .write(
                head + statements.flatMap(\.self),
                then: { rows in
                    var rows = rows.dropFirst(head.count)
                    for (member, own) in zip(group, statements) {
                        member.take(Array(rows.prefix(own.count)))
                        rows = rows.dropFirst(own.count)
                    }
                    return .done
                },
                ifUnknown: .done)
        }
        switch lane.perform([work]) {
        case .committed(again: []): return .committed(again: [])
        case .committed:
            for member in group where !member.isRepeatable { member.take([]) }
            return .committed(again: group.indices.filter { group[$0].isRepeatable })
        case .memberFailed(_, let error), .someMemberFailed(let error), .failed(let error): return .failed(error)
        }
    }

    private static let asynchronous = Statement("SELECT set_config('synchronous_commit', 'off', true)")

    /// Makes the rows that are missing. A row that exists is locked and not changed: the condition is checked after the
    /// lock. The next statement reads what was committed before.
    private static func lock(_ names: [[UInt8]]) -> Statement {
        Statement(
            """
            INSERT INTO cloakroom.allowances AS kept (name, restored_at)
            SELECT DISTINCT name, 0 FROM unnest($1) AS a (name) ORDER BY name
            ON CONFLICT (name) DO UPDATE SET restored_at = kept.restored_at WHERE false
            """, [.bytesList(names)])
    }
}
