import CloakroomFiles
import Foundation
import GRDB
import Logging
import Synchronization

/// A connection to one database file. It notices when the path no longer leads to that file.
///
/// A write into a file that was deleted or renamed succeeds, but is lost when the process ends. After each commit,
/// and before its caller gets the result, this type therefore compares the inodes of the files with those that were
/// opened.
final class DatabaseFile: Sendable {
    private struct State {
        var pool: DatabasePool?
        /// Why no write may be acknowledged; nil when the files are the ones that were opened.
        var loss: String?
        /// SQLite has found the file damaged. The database is then opened again, because SQLite does not read cached
        /// pages again.
        var isSuspect = false
        var reopenAt = ContinuousClock.now
        var pause = DatabaseFile.period
    }

    let path: String
    private let isCommand: Bool
    private let identity: Identity
    private let state: Mutex<State>
    private let logger: Logger
    private let lock: FileLock
    private let watch = DispatchQueue(label: "cloakroom database watch")
    private static let period = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)
    private static let patience = Duration.seconds(20)

    /// - Parameter acceptsMoved: whether to open a database whose data has moved to another store.
    init(_ path: String, making: Bool, isCommand: Bool, acceptsMoved: Bool = false, logger: Logger) throws {
        self.path = path
        self.isCommand = isCommand
        self.logger = logger
        if !making { try Self.checkExists(path) }
        lock = try Self.lock(path)
        try Self.prepareFiles(path, making: making)
        let pool = try Self.open(path, isCommand: isCommand)
        try pool.writeWithoutTransaction {
            try Schema.prepare($0, at: path, making: making, acceptsMoved: acceptsMoved)
        }
        try Self.finishOpening(pool, isCommand: isCommand)
        identity = try Identity(path)
        state = Mutex(State(pool: pool))
        try lock.take(.shared, within: Self.patience)
        if !isCommand { scheduleCheck() }
    }

    /// The lock file. Every process that uses the database holds it shared; `cloakroom restore` needs it exclusively.
    static func lockPath(_ path: String) -> String { path + ".lock" }

    /// Takes the lock exclusively if no process uses the database: this process may then set it up. Otherwise takes
    /// it shared: a process that holds it shared has finished the setup.
    private static func lock(_ path: String) throws -> FileLock {
        do {
            return try FileLock(lockPath(path), .exclusive, within: .zero)
        } catch let error as UnusableData where error.reason == .busy {
            return try FileLock(lockPath(path), .shared, within: patience)
        }
    }

    private static func checkExists(_ path: String) throws {
        guard try FileAccess.status(of: path) != nil else {
            throw UnusableData(.missing, "there is no database \(path); see --data-dir and --store")
        }
    }

    /// Creates the file with mode 0600. SQLite gives the files beside it (`-wal`, `-shm`) the same mode. An existing
    /// database is not opened here: closing any descriptor of it would release the locks that SQLite holds in this
    /// process.
    private static func prepareFiles(_ path: String, making: Bool) throws {
        if making, try FileAccess.status(of: path) == nil {
            let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 || errno == EEXIST else {
                throw UnusableData(
                    .cannotBeMade, "the database \(path) cannot be made: \(String(cString: strerror(errno)))")
            }
            if descriptor >= 0 { Foundation.close(descriptor) }
        }
        for file in [path, path + "-wal", path + "-shm"] {
            if let status = try FileAccess.status(of: file) { try FileAccess.check(file: file, status) }
        }
    }

    private static func open(_ path: String, isCommand: Bool) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "cloakroom"
        configuration.busyMode = .timeout(10)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { database in
            // In KiB, on the one connection that writes: room for the pages that the renewals of a million sessions
            // touch.
            if !database.configuration.readonly { try database.execute(sql: "PRAGMA cache_size = -65536") }
        }
        do {
            return try DatabasePool(path: path, configuration: configuration)
        } catch let error as DatabaseError {
            throw UnusableData(error, at: path)
        }
    }

    private static func finishOpening(_ pool: DatabasePool, isCommand: Bool) throws {
        let level = try pool.writeWithoutTransaction { database in
            // GRDB sets `synchronous = NORMAL` when it opens a database in WAL mode. With NORMAL, a power cut can
            // undo commits that were acknowledged.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            if isCommand { try Events.leaveToServers(database) }
            return try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        guard level == 2 else {
            throw UnusableData(.disk, "SQLite does not write durably (synchronous is not FULL)")
        }
    }

    // MARK: - Use

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await current().read { database in
                try StoreRecord.refuseMoved(database)
                return try body(database)
            }
        } catch { throw noted(error) }
    }

    /// Reads in one snapshot, also after the data has moved, while the calling thread waits.
    func readWaiting<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try current().read(body)
    }

    /// Runs `work`, which commits by itself, on the one connection that writes.
    /// - Throws: an error of `work`, and `UnusableData` when the path no longer leads to the file that was written.
    func write(_ work: (Database) throws -> Void) throws {
        if let loss = state.withLock({ $0.loss }) { throw UnusableData(.disk, loss) }
        do { try current().writeWithoutTransaction(work) } catch { throw noted(error) }
        try checkIdentity()
    }

    private func current() throws -> DatabasePool {
        guard let pool = state.withLock({ $0.pool }) else { throw UnusableData(.disk, "\(path) is closed") }
        return pool
    }

    private func noted(_ error: any Error) -> any Error {
        let code = (error as? DatabaseError)?.resultCode
        if code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB { state.withLock { $0.isSuspect = true } }
        return error
    }

    /// Whether SQLite has found the file damaged since it was last opened.
    var isSuspect: Bool { state.withLock { $0.isSuspect } }

    /// Checkpoints the write-ahead log into the database and closes it, if the path still leads to the file that was
    /// opened.
    func close() {
        defer { lock.release() }
        let pool = state.withLock { state in
            defer { state.pool = nil }
            return state.pool
        }
        guard let pool, state.withLock({ $0.loss }) == nil, (try? checkIdentity()) != nil else { return }
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        guard (try? pool.close()) != nil else { return }
        // GRDB closes the reading connections last, and only a connection that can write deletes the write-ahead log.
        _ = try? DatabaseQueue(path: path).close()
    }

    // MARK: - Watch

    private func scheduleCheck() {
        let milliseconds = Int(Self.period.components.seconds) * 1000
        watch.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            guard let self, self.state.withLock({ $0.pool }) != nil else { return }
            try? self.checkIdentity()
            self.reopenIfSuspect()
            self.scheduleCheck()
        }
    }

    /// - Throws: `UnusableData` while a file at the path is not the one that was opened.
    func checkIdentity() throws {
        let loss = identity.loss(at: path)
        let (pool, before) = state.withLock { state in
            defer { state.loss = loss }
            return (state.pool, state.loss)
        }
        if loss != before {
            guard let loss else { return logger.notice("the database is back; writes go on") }
            logger.critical("nothing is written any more", metadata: ["problem": "\(loss)"])
            // Earlier acknowledged commits can be in a write-ahead log that was deleted: a checkpoint saves them into
            // the database.
            _ = try? pool?.writeWithoutTransaction { try $0.checkpoint(.passive) }
        }
        if let loss { throw UnusableData(.disk, loss) }
    }

    /// Opens a second connection, and uses it in place of the first if the database can be opened and has the
    /// expected schema.
    private func reopenIfSuspect() {
        let isDue = state.withLock { $0.isSuspect && $0.loss == nil && $0.reopenAt <= .now }
        guard isDue else { return }
        do {
            let pool = try Self.open(path, isCommand: isCommand)
            try pool.writeWithoutTransaction { try Schema.prepare($0, at: path, making: false) }
            try Self.finishOpening(pool, isCommand: isCommand)
            state.withLock { state in
                state.pool = pool
                state.isSuspect = false
                // Doubles the pause, so that one page that stays damaged does not make this process open the database
                // again every second.
                state.reopenAt = .now + state.pause
                state.pause = min(state.pause * 2, Self.longestPause)
            }
            logger.notice("the database was opened again after it was found damaged")
        } catch {
            logger.error("the database is damaged", metadata: ["path": "\(path)", "error": "\(error)"])
            state.withLock { $0.reopenAt = .now + Self.period }
        }
    }
}

/// The inodes of the files that were opened.
private struct Identity: Sendable {
    private struct FileID: Hashable {
        let device: UInt64
        let inode: UInt64

        init?(_ path: String) {
            guard let status = try? FileAccess.status(of: path) else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    private let database: FileID
    private let log: FileID

    init(_ path: String) throws {
        guard let database = FileID(path), let log = FileID(path + "-wal") else {
            throw UnusableData(.missing, "\(path) vanished while it was opened")
        }
        self.database = database
        self.log = log
    }

    /// The problem, as a sentence; nil when the path leads to the same files.
    func loss(at path: String) -> String? {
        if FileID(path) != database {
            return "\(path) was renamed, deleted or replaced while it was in use; put it back or restart"
        }
        if FileID(path + "-wal") != log { return "\(path)-wal was deleted or replaced; restart" }
        return nil
    }
}

extension UnusableData {
    init(_ error: DatabaseError, at path: String) {
        let text = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: self.init(.damaged, "\(path) is damaged or no database: \(text)")
        case .SQLITE_BUSY, .SQLITE_LOCKED: self.init(.busy, "\(path) is locked by another process")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            let remedy = FileAccess.remedyForOwner(of: path).map { "; \($0)" } ?? ""
            self.init(.permission, "\(path) cannot be opened for writing: \(text)\(remedy)")
        default: self.init(.disk, "\(path) cannot be used: \(text)")
        }
    }
}
