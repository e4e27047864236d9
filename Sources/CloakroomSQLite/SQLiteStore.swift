public import CloakroomCore
public import CloakroomStores
import Foundation
import GRDB
package import Logging

/// The embedded store: one SQLite file in WAL mode, where what was acknowledged survives `kill -9` and power loss.
///
/// Several processes of one machine may use a file at the same time: a second server, and the command line.
public final class SQLiteStore: SessionStore, AccountStore, OneTimeStore {
    /// For reading.
    let pool: DatabaseFile
    let commits: GroupCommit

    /// What a process does with the database.
    package enum Role: Sendable {
        /// It logs and counts its own security events.
        case server
        /// It has no log that anybody reads: a server takes its events over.
        case command
    }

    /// Opens the database at `path`, which is made, readable by its owner alone, when there is none.
    /// - Throws: `UnusableData` when it cannot be made or read, can be used by other users, or has another schema.
    public convenience init(path: String) throws {
        try self.init(path: path, as: .server)
    }

    /// - Parameter making: whether to make the database when there is none.
    package init(
        path: String, making: Bool = true, as role: Role, logger: Logger = Logger(label: "cloakroom.store")
    ) throws {
        let file = try DatabaseFile(path, making: making, isCommand: role == .command, logger: logger)
        pool = file
        commits = GroupCommit { try file.write($0) }
    }

    /// Writes everything into the one file, so that a copy of it is whole, and closes it. Nothing can be asked for any
    /// more.
    public func close() {
        pool.close()
    }

    /// What `PRAGMA synchronous` says of the connection that writes: 2 is FULL.
    package func synchronousLevel() async throws -> Int? {
        try await commits.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    }

    /// Counts how often the database went back to an earlier state (`cloakroom restore`).
    package func epoch() async throws -> Int64 {
        try await pool.read { try StoreRecord.epoch($0) }
    }

    /// Writes as much as a login does: a disk that has room for one page only is full.
    public func ping() async throws {
        try await commits.write { try StoreRecord.write($0) }
    }

    /// The number of sessions that can still be used.
    public func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int {
        let idle = now - policy.idleLifetime
        return try await pool.read { database in
            try Int.fetchOne(
                database,
                sql: """
                    SELECT count(*) FROM sessions
                    WHERE revoked_at IS NULL AND last_seen_day >= ? AND last_seen_at > ? AND expires_at > ?
                    """,
                arguments: [SessionRow.day(of: idle), idle.milliseconds, now.milliseconds]) ?? 0
        }
    }

    /// Takes over what processes without a log of their own have recorded: each event once, whichever server asks.
    public func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] {
        // Nearly always there is none, and a look takes no lock.
        guard try await pool.read({ try Events.hasUnannounced($0) }) else { return [] }
        return try await commits.write { try Events.takeUnannounced(limit, $0) }
    }
}
