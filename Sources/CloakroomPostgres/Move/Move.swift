import CloakroomFiles
import CloakroomStores

/// The mark of a database that `cloakroom migrate-store` fills or has filled. Other databases have no such table.
enum Move {
    private static let table = """
        CREATE TABLE IF NOT EXISTS cloakroom.moves (
            migration int8 PRIMARY KEY,
            source text NOT NULL,
            started_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz
        )
        """

    /// Refuses tables that are not filled yet: a session that begins here would be overwritten.
    static func refuseUnfinished(_ connection: PostgresConnection, _ address: PostgresAddress) throws {
        guard try exists(connection) else { return }
        let rows = try connection.transaction([
            .single("SELECT source FROM cloakroom.moves WHERE finished_at IS NULL LIMIT 1")
        ])
        guard let source = rows[0].first?.text(0) else { return }
        throw UnusableData(
            .busy, "\(address) is being filled from \(source): run cloakroom migrate-store --finish, then start servers"
        )
    }

    /// Marks an empty database as the target of this migration, or finds the mark of an earlier run.
    /// - Returns: whether the migration is finished.
    static func claim(
        _ connection: PostgresConnection, _ address: PostgresAddress, migration: Int64, source: String
    ) throws -> Bool {
        _ = try connection.transaction([Statement("BEGIN"), Epochs.lock])
        if try exists(connection) {
            let rows = try connection.transaction([
                .single(
                    "SELECT finished_at IS NOT NULL FROM cloakroom.moves WHERE migration = $1", [.int(migration)])
            ])
            if let isFinished = rows[0].first?.bool(0) {
                _ = try connection.transaction([Statement("COMMIT")])
                return isFinished
            }
        }
        try refuseData(connection, address)
        _ = try connection.transaction([
            .single(table),
            .single(
                "INSERT INTO cloakroom.moves (migration, source) VALUES ($1, $2)", [.int(migration), .text(source)]),
            .single("COMMIT"),
        ])
        return false
    }

    static func finish(_ migration: Int64) -> Statement {
        .single("UPDATE cloakroom.moves SET finished_at = now() WHERE migration = $1", [.int(migration)])
    }

    private static func exists(_ connection: PostgresConnection) throws -> Bool {
        try connection.transaction([Schema.exists("moves")])[0].first?.bool(0) == true
    }

    /// A database with keys belongs to instances, also if they have no users yet.
    private static func refuseData(_ connection: PostgresConnection, _ address: PostgresAddress) throws {
        let hasMove = try exists(connection) ? " OR EXISTS (SELECT FROM cloakroom.moves)" : ""
        let tables = CopiedTable.allCases.map(\.rawValue) + ["keys"]
        let hasRows = tables.map { "EXISTS (SELECT FROM cloakroom.\($0))" }.joined(separator: " OR ")
        let rows = try connection.transaction([.single("SELECT \(hasRows)\(hasMove)")])
        guard rows[0].first?.bool(0) == false else {
            throw UnusableData(
                .damaged, "\(address) has data that is not of this migration: migrate-store fills an empty database")
        }
    }
}
