import CloakroomFiles

/// The tables, and the steps by which a newer version changes them.
enum Schema {
    /// One step. Steps only go forward, and a step that is released never changes.
    struct Migration {
        let version: Int64
        /// The lowest version of a build that still works with the tables after this step. A step that only adds leaves
        /// it: then two builds work side by side while an upgrade rolls from one instance to the next.
        let worksWith: Int64
        let statements: [String]
    }

    static let migrations = [
        Migration(version: 1, worksWith: 1, statements: tables.components(of: "\n\n")),
        Migration(version: 2, worksWith: 1, statements: [keys]),
        Migration(version: 3, worksWith: 1, statements: [moves]),
        Migration(version: 4, worksWith: 1, statements: [allowances]),
    ]

    /// The version of the tables that this build knows.
    static var version: Int64 { migrations.last?.version ?? 0 }

    /// Brings the tables to the version of this build, or checks that this build works with them. Of several instances
    /// that start at once, one does it, and the others wait.
    /// - Parameters:
    ///   - making: whether to create and change tables.
    ///   - isFilling: whether this is the command that fills the tables from another store.
    /// - Returns: the steps that were taken.
    static func prepare(
        _ connection: PostgresConnection, _ address: PostgresAddress, making: Bool, isFilling: Bool = false
    ) throws -> [Int64] {
        do {
            return try attempt(connection, address, making: making, isFilling: isFilling)
        } catch let error as ServerError where error.consequence == .conflict {
            throw UnusableData(.busy, "the tables in \(address) are locked by other transactions; try again")
        }
    }

    private static func attempt(
        _ connection: PostgresConnection, _ address: PostgresAddress, making: Bool, isFilling: Bool
    ) throws -> [Int64] {
        let begin = [
            Statement("BEGIN"), Statement("SELECT set_config('lock_timeout', '5s', true)"), Epochs.lock,
            Statement("SELECT set_config('lock_timeout', '100ms', true)"),
        ]
        _ = try connection.transaction(begin)
        let found = try state(connection)
        try check(found, address, making: making)
        let missing = migrations.filter { $0.version > found.version }
        for migration in missing { try apply(migration, connection) }
        if !isFilling { try Move.refuseUnfinished(connection, address) }
        _ = try connection.transaction([Statement("COMMIT")])
        return missing.map(\.version)
    }

    /// Asks whether there is a table. `to_regclass` answers from a cache, which a wait for the advisory lock leaves
    /// stale.
    static func exists(_ table: String) -> Statement {
        Statement(
            "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'cloakroom' AND tablename = $1)", [.text(table)])
    }

    /// The version of the tables, 0 if there are none, and the lowest version of a build that works with them.
    private static func state(_ connection: PostgresConnection) throws -> (version: Int64, worksWith: Int64) {
        let exists = try connection.transaction([Schema.exists("migrations")])
        guard exists[0].first?.bool(0) == true else { return (0, 0) }
        let rows = try connection.transaction([
            Statement("SELECT coalesce(max(version), 0), coalesce(max(works_with), 0) FROM cloakroom.migrations")
        ])
        return rows[0].first.map { ($0.int(0), $0.int(1)) } ?? (0, 0)
    }

    private static func check(
        _ found: (version: Int64, worksWith: Int64), _ address: PostgresAddress, making: Bool
    ) throws {
        guard found.worksWith <= version else {
            throw UnusableData(
                .damaged,
                "\(address) has schema version \(found.version), and this build knows version \(version): run the newer build"
            )
        }
        guard found.version >= version || making else {
            throw found.version == 0
                ? UnusableData(.missing, "there are no tables in \(address); start a server, or run cloakroom migrate")
                : UnusableData(
                    .damaged,
                    "\(address) has schema version \(found.version), and this build needs version \(version): run cloakroom migrate"
                )
        }
    }

    private static func apply(_ migration: Migration, _ connection: PostgresConnection) throws {
        let record = Statement.single(
            "INSERT INTO cloakroom.migrations (version, works_with) VALUES ($1, $2)",
            [.int(migration.version), .int(migration.worksWith)])
        _ = try connection.transaction(migration.statements.map { .single($0) } + [record], within: .seconds(60))
    }
}

extension String {
    /// The parts between the separators.
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: true).map(String.init)
    }
}
