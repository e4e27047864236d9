package import CloakroomStores
import Logging

/// The database that `cloakroom migrate-store` fills. The calling thread waits for each answer.
package final class MoveTarget {
    /// The mark that keeps servers off the database until the migration is finished.
    package struct Claim: Hashable, Sendable {
        /// Identifies this database among those that one migration has begun to fill.
        package let number: Int64
        package let isFinished: Bool
    }

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

    /// The mark that an earlier run of this migration has set.
    package func claim(of migration: Int64) throws -> Claim? {
        try Move.claim(connection, of: migration)
    }

    /// Marks the database as the target of this migration.
    /// - Throws: `UnusableData` if the database has data.
    package func makeClaim(of migration: Int64, source: String) throws -> Claim {
        try Move.make(connection, server.address, migration: migration, source: source)
    }

    /// Lets servers start on this database, with statistics for the planner.
    package func finish(migration: Int64) throws {
        let statistics = CopiedTable.allCases.map { Statement.single("ANALYZE cloakroom.\($0.rawValue)") }
        _ = try connection.transaction(statistics + [Move.finish(migration)], within: Self.limit)
    }

    /// The SHA-256 of each row, as of `CopiedRow.encoded`, whose key is after `start` and not after `end`.
    /// - Parameter start: nil for the first row; `end`: nil for the last.
    package func digests(
        of table: CopiedTable, after start: CopiedRow.Key?, through end: CopiedRow.Key?
    ) throws -> [CopiedRow.Key: [UInt8]] {
        let statement = table.digests(after: start, through: end)
        var digests: [CopiedRow.Key: [UInt8]] = [:]
        for row in try connection.transaction([statement], within: Self.limit)[0].map({ $0 }) {
            let key = table.keyColumns.enumerated().map { $1.value(row, Int32($0)) }
            digests[CopiedRow.Key(key)] = row.bytes(Int32(table.keyLength))
        }
        return digests
    }

    /// Writes rows over those with the same keys, and deletes others, in one transaction.
    package func save(_ rows: [CopiedRow], deleting keys: [CopiedRow.Key], in table: CopiedTable) throws {
        var statements: [Statement] = []
        if !keys.isEmpty { statements.append(table.deletion(keys)) }
        if !rows.isEmpty { statements.append(table.insertion(rows)) }
        guard !statements.isEmpty else { return }
        try server.months.prepare(statements, on: connection)
        _ = try connection.transaction(statements, within: Self.limit)
    }
}
