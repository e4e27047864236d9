package import CloakroomStores
import Logging

/// The database that `cloakroom migrate-store` fills. The calling thread waits for each answer.
package final class MoveTarget {
    private let server: PostgresServer
    private let connection: PostgresConnection

    /// How long one page may take.
    private static let limit = Duration.seconds(60)

    /// Connects, and creates the tables if there are none.
    package init(_ address: PostgresAddress) throws {
        server = PostgresServer(address, logger: Logger(label: "cloakroom.store"))
        _ = try server.prepareSchema(making: true, isFilling: true)
        connection = try server.connect(limit: Self.limit)
    }

    /// Marks the database as the target of this migration.
    /// - Returns: whether the migration is finished already.
    /// - Throws: `UnusableData` if the database has other data.
    package func claim(migration: Int64, source: String) throws -> Bool {
        try Move.claim(connection, server.address, migration: migration, source: source)
    }

    /// Lets servers start on this database, with statistics for the planner.
    package func finish(migration: Int64) throws {
        let statistics = CopiedTable.allCases.map { Statement.single("ANALYZE cloakroom.\($0.rawValue)") }
        _ = try connection.transaction(statistics + [Move.finish(migration)], within: Self.limit)
    }

    /// The SHA-256 of each row, as of `CopiedRow.encoded`, whose key is after `start` and not after `end`.
    /// - Parameter start: nil for the first row; `end`: nil for the last.
    package func digests(
        of table: CopiedTable, after start: [CopiedRow.Value]?, through end: [CopiedRow.Value]?
    ) throws -> [[CopiedRow.Value]: [UInt8]] {
        let statement = table.digests(after: start, through: end)
        var digests: [[CopiedRow.Value]: [UInt8]] = [:]
        for row in try connection.transaction([statement], within: Self.limit)[0].map({ $0 }) {
            let key = table.keyColumns.enumerated().map { $1.value(row, Int32($0)) }
            digests[key] = row.bytes(Int32(table.keyLength))
        }
        return digests
    }

    /// Writes rows over those with the same keys, and deletes others, in one transaction.
    package func save(_ rows: [CopiedRow], deleting keys: [[CopiedRow.Value]], in table: CopiedTable) throws {
        var statements: [Statement] = []
        if !keys.isEmpty { statements.append(table.deletion(keys)) }
        if !rows.isEmpty { statements.append(table.insertion(rows)) }
        guard !statements.isEmpty else { return }
        try server.months.prepare(statements, on: connection)
        _ = try connection.transaction(statements, within: Self.limit)
    }
}
