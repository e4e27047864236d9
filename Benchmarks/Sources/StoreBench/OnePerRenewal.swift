import CloakroomSQLite
import Foundation
import GRDB

/// The same tables and the same durability, with one transaction per renewal, as in a store without group commit.
struct OnePerRenewal: Contestant {
    let name = "one transaction each"
    let pool: DatabasePool

    init(path: String) throws {
        pool = try DatabasePool(path: path)
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    }

    func renew(_ index: Int) async throws {
        try await pool.write { database in
            let id = Ours.id(index).rawValue
            let found = try Row.fetchOne(database.cachedStatement(sql: Statements.select), arguments: [id])
            guard found != nil else { throw Missing() }
            try database.cachedStatement(sql: Statements.rotate).execute(arguments: [id])
        }
    }
}

enum Statements {
    static let select = "SELECT * FROM sessions WHERE id = ?"
    static let rotate = """
        UPDATE sessions SET generation = generation + 1, pending = 1, rotated_at = rotated_at + 1000,
        handed_out_at = rotated_at + 1000, stragglers_from = generation, reissued = 0,
        last_seen_at = last_seen_at + 1000 WHERE id = ?
        """
}
