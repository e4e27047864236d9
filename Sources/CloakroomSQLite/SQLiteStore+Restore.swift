package import CloakroomCore
import CloakroomFiles
import CloakroomStores
import Foundation
import GRDB

extension SQLiteStore {
    /// The contents of a restored database.
    package struct Restored: Sendable {
        package let accounts: Int
        package let sessions: Int
        /// Larger than the epochs of the replaced database and of the backup.
        package let epoch: Int64
    }

    /// Replaces the database at `path` by a copy of `backup`, completely or not at all.
    ///
    /// If a backup is copied by hand over a database whose write-ahead log (`-wal`) still exists, SQLite replays that
    /// log over it: the result mixes pages, and contains sessions from after the backup. The positions of events and
    /// revocations continue from the replaced database, so that a reader with an old cursor does not miss new events.
    /// - Throws: `UnusableData`, with the reason `.busy` while a process uses the database.
    package static func restore(_ backup: String, to path: String, at now: Instant) throws -> Restored {
        guard let status = try FileAccess.status(of: backup), status.st_mode & S_IFMT == S_IFREG else {
            throw UnusableData(.missing, "there is no file \(backup)")
        }
        let lock = try exclusiveLock(path)
        defer { withExtendedLifetime(lock) {} }
        let copy = path + ".restoring"
        defer { remove([copy, copy + "-wal", copy + "-shm", copy + "-journal"]) }
        try copyFile(backup, to: copy)
        if try FileAccess.status(of: backup + "-wal") != nil { try copyFile(backup + "-wal", to: copy + "-wal") }
        let replaced = try? marks(of: path)
        let restored = try prepare(copy, namedInErrors: backup, after: replaced, at: now)
        try exchange(copy, for: path)
        return restored
    }

    private static func exclusiveLock(_ path: String) throws -> FileLock {
        do {
            return try FileLock(DatabaseFile.lockPath(path), .exclusive, within: .seconds(1))
        } catch let error as UnusableData where error.reason == .busy {
            throw UnusableData(.busy, "\(path) is in use; stop the server, then restore")
        }
    }

    private static func copyFile(_ source: String, to copy: String) throws {
        remove([copy])
        do { try FileManager.default.copyItem(atPath: source, toPath: copy) } catch {
            throw UnusableData(.disk, "\(source) cannot be copied to \(copy): \(error.localizedDescription)")
        }
        guard chmod(copy, 0o600) == 0 else { throw UnusableData(copy, "cannot be restricted", errno: errno) }
    }

    /// The epoch and the last positions of the replaced database.
    private struct Marks {
        let epoch: Int64
        let events: Int64
        let revocations: Int64
    }

    /// Reads the marks of the database that will be replaced. Opening and closing it checkpoints its write-ahead log,
    /// so that it stays complete until the exchange.
    private static func marks(of path: String) throws -> Marks? {
        guard try FileAccess.status(of: path) != nil else { return nil }
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.write { database in
            Marks(
                epoch: try StoreRecord.epoch(database), events: try position("events", database),
                revocations: try position("revocations", database))
        }
    }

    private static func position(_ table: String, _ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = ?", arguments: [table]) ?? 0
    }

    /// Checks the copy, sets its epoch and positions, and checkpoints its write-ahead log into it.
    private static func prepare(
        _ copy: String, namedInErrors backup: String, after replaced: Marks?, at now: Instant
    ) throws -> Restored {
        do {
            let queue = try DatabaseQueue(path: copy)
            defer { try? queue.close() }
            try queue.writeWithoutTransaction { database in
                try Schema.prepare(database, at: backup, making: false)
                let report = try String.fetchAll(database, sql: "PRAGMA integrity_check(5)")
                guard report == ["ok"] else {
                    throw UnusableData(.damaged, "\(backup) is damaged: \(report.joined(separator: "; "))")
                }
            }
            let restored = try queue.write { try mark($0, after: replaced, at: now) }
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA journal_mode = DELETE")
            }
            return restored
        } catch let error as DatabaseError {
            throw UnusableData(error, at: backup)
        }
    }

    private static func mark(_ database: Database, after replaced: Marks?, at now: Instant) throws -> Restored {
        let epoch = max(try StoreRecord.epoch(database), replaced?.epoch ?? 0) + 1
        try StoreRecord.setEpoch(epoch, database)
        // The backup may be older than a migration, which must not take these rows for those that it has copied.
        try StoreRecord.setMigration(nil, database)
        try advance("events", beyond: replaced?.events ?? 0, database)
        try advance("revocations", beyond: replaced?.revocations ?? 0, database)
        try Events.leaveToServers(database)
        try Events.append([SecurityEvent(.restore, at: now, details: .init(epoch: epoch))], database)
        let sessions = try Int.fetchOne(database, sql: "SELECT count(*) FROM sessions WHERE revoked_at IS NULL")
        return Restored(
            accounts: try Int.fetchOne(database, sql: "SELECT count(*) FROM accounts") ?? 0, sessions: sessions ?? 0,
            epoch: epoch)
    }

    private static func advance(_ table: String, beyond position: Int64, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", arguments: [position, table])
        guard database.changesCount == 0 else { return }
        try database.execute(
            sql: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", arguments: [table, position])
    }

    /// Deletes the old write-ahead log before the rename: its contents are in the old database, and SQLite must never
    /// replay it over the new one.
    private static func exchange(_ copy: String, for path: String) throws {
        let descriptor = open(copy, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw UnusableData(copy, "cannot be opened", errno: errno) }
        defer { Foundation.close(descriptor) }
        if let status = try FileAccess.status(of: path) {
            // Only root can set every owner and group.
            _ = fchown(descriptor, status.st_uid, status.st_gid)
            _ = fchmod(descriptor, status.st_mode & 0o660 | 0o600)
        }
        guard fsync(descriptor) == 0 else { throw UnusableData(copy, "cannot be written", errno: errno) }
        remove([path + "-wal", path + "-shm", path + "-journal"])
        guard rename(copy, path) == 0 else { throw UnusableData(path, "cannot be replaced", errno: errno) }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws {
        let directory = (path as NSString).deletingLastPathComponent
        let descriptor = open(directory.isEmpty ? "." : directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UnusableData(directory, "cannot be opened", errno: errno) }
        defer { Foundation.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw UnusableData(directory, "cannot be written", errno: errno) }
    }

    private static func remove(_ paths: [String]) {
        for path in paths { unlink(path) }
    }
}
