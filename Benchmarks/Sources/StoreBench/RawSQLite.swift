import CloakroomCore
import Foundation
import GRDBSQLite

/// The upper limit: the C library in one thread, with as many renewals per transaction as there are clients, and no
/// callers to resume.
final class RawSQLite {
    private var database: OpaquePointer?
    private var statements: [OpaquePointer?] = []

    init(path: String) throws {
        guard sqlite3_open(path, &database) == SQLITE_OK else { throw Missing() }
        // The process that filled the database may still be closing it.
        sqlite3_busy_timeout(database, 5000)
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = FULL")
        statements = try [Statements.select, Statements.rotate].map { sql in
            var statement: OpaquePointer?
            guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else { throw Missing() }
            return statement
        }
    }

    deinit {
        for statement in statements { sqlite3_finalize(statement) }
        sqlite3_close(database)
    }

    private func execute(_ sql: String) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw Missing() }
    }

    /// - Returns: renewals per second over `seconds`.
    func rate(batch: Int, sessions: Int, seconds: Double) throws -> Double {
        let began = ContinuousClock.now
        var count = 0
        while ContinuousClock.now < began + .seconds(seconds) {
            try execute("BEGIN IMMEDIATE")
            for _ in 0..<batch {
                let id = Ours.id(count * 7919 % sessions).rawValue
                for statement in statements {
                    sqlite3_bind_text(statement, 1, id, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
                    while sqlite3_step(statement) == SQLITE_ROW {}
                    sqlite3_reset(statement)
                }
                count += 1
            }
            try execute("COMMIT")
        }
        return Double(count) / began.duration(to: .now).seconds
    }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
}
