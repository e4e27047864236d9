import CloakroomFiles
import GRDB
import Logging

/// The database from which `cloakroom migrate-store` moves the data. A server may use it meanwhile.
package final class MoveSource {
    /// The mark of a database whose data has moved. From then on no server reads or writes it.
    package struct Seal: Hashable, Sendable {
        /// The address of the store that has the data.
        package let place: String
        /// The number of the mark in that store.
        package let target: Int64

        package init(place: String, target: Int64) {
            self.place = place
            self.target = target
        }
    }

    private let file: DatabaseFile
    private let lock: FileLock
    /// Identifies the migration, in the source and in the target.
    package let migration: Int64

    /// Opens the database, also one whose data has moved already.
    /// - Throws: `UnusableData`, with the reason `.busy` while another migration from this database runs.
    package init(path: String) throws {
        file = try DatabaseFile(
            path, making: false, isCommand: true, acceptsMoved: true, logger: Logger(label: "cloakroom.store"))
        do {
            lock = try FileLock(path + ".move", .exclusive, within: .zero)
        } catch let error as UnusableData where error.reason == .busy {
            throw UnusableData(.busy, "another cloakroom migrate-store moves \(path)")
        }
        migration = try Self.number(file)
    }

    private static func number(_ file: DatabaseFile) throws -> Int64 {
        if let number = try file.readWaiting(StoreRecord.migration) { return number }
        let number = Int64.random(in: 1...Int64.max)
        try file.write { database in
            try database.inTransaction(.immediate) {
                try StoreRecord.setMigration(number, database)
                return .commit
            }
        }
        return number
    }

    package func close() {
        file.close()
        lock.release()
    }

    /// nil while the data is here.
    package func seal() throws -> Seal? {
        try file.readWaiting(StoreRecord.seal)
    }

    /// Reads tables in one snapshot. Others write meanwhile.
    package func read<Value>(_ body: (MoveRows) throws -> Value) throws -> Value {
        try file.readWaiting { try body(MoveRows(database: $0, migration: migration)) }
    }

    /// Reads tables while no process can write, then marks the data as moved. If `body` throws, there is no mark, and
    /// writes go on.
    package func move<Value>(_ seal: Seal, _ body: (MoveRows) throws -> Value) throws -> Value {
        var result: Result<Value, any Error>?
        try file.write { database in
            try database.inTransaction(.immediate) {
                let value = try body(MoveRows(database: database, migration: migration))
                try StoreRecord.set(seal, database)
                result = .success(value)
                return .commit
            }
        }
        guard let result else { throw UnusableData(.disk, "\(file.path) was not written") }
        return try result.get()
    }
}
