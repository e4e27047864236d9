import CloakroomFiles
import CloakroomStores

/// The mark of a database that `cloakroom migrate-store` fills or has filled.
enum Move {
    static let isUnfinished = "EXISTS (SELECT FROM cloakroom.moves WHERE finished_at IS NULL)"

    /// Refuses tables that are not filled yet: a session that begins here would be overwritten.
    static func refuseUnfinished(_ connection: PostgresConnection, _ address: PostgresAddress) throws {
        let rows = try connection.transaction([
            .single("SELECT source FROM cloakroom.moves WHERE finished_at IS NULL LIMIT 1")
        ])
        guard let source = rows[0].first?.text(0) else { return }
        throw UnusableData(
            .busy, "\(address) is being filled from \(source): run cloakroom migrate-store --finish, then start servers"
        )
    }

    /// The mark that this migration has set.
    static func claim(_ connection: PostgresConnection, of migration: Int64) throws -> MoveTarget.Claim? {
        let rows = try connection.transaction([
            .single(
                "SELECT target, finished_at IS NOT NULL FROM cloakroom.moves WHERE migration = $1", [.int(migration)])
        ])
        return rows[0].first.map { MoveTarget.Claim(number: $0.int(0), isFinished: $0.bool(1)) }
    }

    /// Sets the mark in an empty database.
    static func make(
        _ connection: PostgresConnection, _ address: PostgresAddress, migration: Int64, source: String
    ) throws -> MoveTarget.Claim {
        _ = try connection.transaction([Statement("BEGIN"), Epochs.lock])
        try refuseData(connection, address)
        let number = Int64.random(in: 1...Int64.max)
        _ = try connection.transaction([
            .single(
                "INSERT INTO cloakroom.moves (migration, target, source) VALUES ($1, $2, $3)",
                [.int(migration), .int(number), .text(source)]),
            .single("COMMIT"),
        ])
        return MoveTarget.Claim(number: number, isFinished: false)
    }

    static func finish(_ migration: Int64) -> Statement {
        .single("UPDATE cloakroom.moves SET finished_at = now() WHERE migration = $1", [.int(migration)])
    }

    /// A database with keys belongs to instances, also if they have no users yet.
    private static func refuseData(_ connection: PostgresConnection, _ address: PostgresAddress) throws {
        let tables = CopiedTable.allCases.map(\.rawValue) + ["keys", "moves"]
        let hasRows = tables.map { "EXISTS (SELECT FROM cloakroom.\($0))" }.joined(separator: " OR ")
        let rows = try connection.transaction([.single("SELECT \(hasRows)")])
        guard rows[0].first?.bool(0) == false else {
            throw UnusableData(
                .damaged, "\(address) has data that is not of this migration: migrate-store fills an empty database")
        }
    }
}
