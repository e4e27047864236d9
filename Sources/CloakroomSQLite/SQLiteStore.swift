public import CloakroomCore
public import CloakroomStores
import Foundation
import GRDB
package import Logging

/// The embedded store: one SQLite file in WAL mode. Acknowledged writes survive `kill -9` and power loss.
///
/// Several processes on one machine may use the file at the same time: a second server, and the command line.
public final class SQLiteStore: SessionStore, AccountStore, CredentialStore, OneTimeStore, SubjectStore {
    /// The connections for reading.
    let pool: DatabaseFile
    let commits: GroupCommit<SQLiteWork>

    /// The kind of process that opens the database.
    package enum Role: Sendable {
        /// The process logs and counts its own security events.
        case server
        /// The process has no permanent log: a server logs and counts its events.
        case command
    }

    /// Opens the database at `path`. If there is none, creates it with access for its owner only.
    /// - Throws: `UnusableData` when it cannot be created or read, other users can access it, or it has another
    ///   schema.
    public convenience init(path: String) throws {
        try self.init(path: path, as: .server)
    }

    /// - Parameter making: whether to create the database when there is none.
    package init(
        path: String, making: Bool = true, as role: Role, logger: Logger = Logger(label: "cloakroom.store")
    ) throws {
        let file = try DatabaseFile(path, making: making, isCommand: role == .command, logger: logger)
        pool = file
        commits = GroupCommit(checking: StoreRecord.refuseMoved) { try file.write($0) }
    }

    /// Checkpoints all writes into the one file, so that a copy of it is complete, and closes it. Later calls of the
    /// store throw.
    public func close() {
        pool.close()
    }

    /// The value of `PRAGMA synchronous` on the connection that writes: 2 is FULL.
    package func synchronousLevel() async throws -> Int? {
        try await commits.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    }

    /// Starts at 1 and grows with each restore from a backup (`cloakroom restore`).
    package func epoch() async throws -> Int64 {
        try await pool.read { try StoreRecord.epoch($0) }
    }

    /// Writes as many pages as a login does, so that a disk with room for only one page counts as full.
    public func ping() async throws {
        try await commits.write { try StoreRecord.write($0) }
    }

    /// The number of live sessions.
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

    /// Takes the events that processes without a log have recorded. If several servers ask, each event goes to one of
    /// them.
    public func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] {
        // Usually there is none, and this read takes no lock.
        guard try await pool.read({ try Events.hasUnannounced($0) }) else { return [] }
        return try await commits.write { try Events.takeUnannounced(limit, $0) }
    }
}
