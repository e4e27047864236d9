import CloakroomStores
import GRDB

/// A write of a group on the one connection that writes.
///
/// Unchecked: the queue passes it from the caller to the thread of that connection, and the caller does not touch it
/// again.
final class SQLiteWork: GroupWork, @unchecked Sendable {
    private var body: ((Database) throws -> Void)?

    init(_ body: @escaping (Database) throws -> Void) {
        self.body = body
    }

    fileprivate func run(_ database: Database) throws {
        try body?(database)
    }

    func release() {
        body = nil
    }
}

extension GroupCommit where Work == SQLiteWork {
    /// - Parameters:
    ///   - check: runs first in every transaction, and throws if nothing may be written.
    ///   - perform: runs its argument on the one connection that writes, and throws when the commit is not in the
    ///     database that will be opened next time.
    convenience init(
        limits: GroupLimits = GroupLimits(),
        checking check: @escaping @Sendable (Database) throws -> Void = { _ in },
        performing perform: @escaping @Sendable ((Database) throws -> Void) throws -> Void
    ) {
        self.init("writes", limits: limits, performers: [{ SQLiteWork.commit($0, check, perform) }])
    }

    /// Runs `work` in a transaction, and returns when its writes are on disk.
    ///
    /// - Parameter work: must have no effect outside the database. When another member of its group fails, the
    ///   transaction is rolled back and `work` runs again.
    /// - Throws: the error of `work` or of the commit, or `Denial.unavailable` when the queue is full or the write
    ///   has waited too long.
    func write<Value: Sendable>(_ work: @Sendable (Database) throws -> Value) async throws -> Value {
        let result = WorkResult<Value>()
        try await withoutActuallyEscaping(work) { work in
            try await commit(SQLiteWork { result.value = try work($0) })
        }
        return result.committed
    }
}

extension SQLiteWork {
    fileprivate static func commit(
        _ group: [SQLiteWork], _ check: @escaping (Database) throws -> Void,
        _ perform: ((Database) throws -> Void) throws -> Void
    ) -> GroupOutcome {
        var culprit: Int?
        do {
            try perform { database in
                try inTransaction(database) {
                    try check(database)
                    for (index, member) in group.enumerated() {
                        culprit = index
                        try member.run(database)
                    }
                    culprit = nil
                }
            }
            return .committed(again: [])
        } catch {
            if let culprit, !isOfTheWholeDatabase(error) { return .memberFailed(culprit, error) }
            return isOfSomeMember(error) ? .someMemberFailed(error) : .failed(error)
        }
    }

    /// Uses cached statements: for a single renewal, preparing them takes a tenth of its time.
    private static func inTransaction(_ database: Database, _ work: () throws -> Void) throws {
        try database.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        do {
            try work()
            try database.cachedStatement(sql: "COMMIT").execute()
        } catch {
            // SQLite rolls back by itself after some errors.
            if database.isInsideTransaction { try database.rollback() }
            throw error
        }
    }

    /// Whether the error concerns the whole database: a full disk, a lock of another process, a damaged file.
    private static func isOfTheWholeDatabase(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        let codes: [ResultCode] = [
            .SQLITE_BUSY, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_CORRUPT, .SQLITE_READONLY, .SQLITE_NOTADB,
        ]
        return codes.contains(code)
    }

    /// Whether the error can appear at the commit only, and does not name the member that caused it.
    private static func isOfSomeMember(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.resultCode == .SQLITE_CONSTRAINT
    }
}
