public import CloakroomService
import Foundation
import GRDB

/// The embedded store: one SQLite file in WAL mode, where what was acknowledged survives `kill -9` and power loss.
public final class SQLiteStore: SessionStore, UserStore {
    let pool: DatabasePool
    let commits: GroupCommit

    /// Why a database cannot be used.
    public struct Unusable: Error, CustomStringConvertible {
        /// What is wrong, with the path.
        public let description: String
    }

    /// Opens the database at `path`, which is made, readable by its owner alone, when there is none, and brings its
    /// schema up to date.
    public init(path: String) throws {
        try Self.createPrivately(path)
        var configuration = Configuration()
        configuration.label = "cloakroom"
        configuration.busyMode = .timeout(10)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { database in
            // Of the one connection that writes: the pages that a million sessions' renewals touch, in KiB.
            if !database.configuration.readonly { try database.execute(sql: "PRAGMA cache_size = -65536") }
        }
        pool = try DatabasePool(path: path, configuration: configuration)
        try Self.makeDurable(pool)
        try Schema.migrator.migrate(pool)
        commits = GroupCommit(pool)
    }

    /// SQLite gives the files beside the database (`-wal`, `-shm`) the mode of the database itself.
    private static func createPrivately(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Unusable(description: "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
    }

    /// GRDB sets `synchronous = NORMAL` behind one's back when it opens a database in WAL mode, and with NORMAL a power
    /// cut takes back commits that were acknowledged.
    private static func makeDurable(_ pool: DatabasePool) throws {
        let level = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            return try synchronousLevel(database)
        }
        guard level == 2 else { throw Unusable(description: "SQLite does not write durably (synchronous is not FULL)") }
    }

    /// What `PRAGMA synchronous` says of the connection that writes: 2 is FULL.
    package func synchronousLevel() async throws -> Int? {
        try await pool.writeWithoutTransaction { try Self.synchronousLevel($0) }
    }

    private static func synchronousLevel(_ database: Database) throws -> Int? {
        try Int.fetchOne(database, sql: "PRAGMA synchronous")
    }
}
