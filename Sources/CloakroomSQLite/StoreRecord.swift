import CloakroomCore
import Foundation
import GRDB

/// The single row of the table `store`: the epoch, the bytes that `ping` writes, and the migration to another store.
enum StoreRecord {
    /// The number of bytes that a login writes, in whole pages.
    private static let weight = 32 * 1024

    static func epoch(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT epoch FROM store") ?? 0
    }

    static func setEpoch(_ epoch: Int64, _ database: Database) throws {
        try database.execute(sql: "UPDATE store SET epoch = ?", arguments: [epoch])
    }

    /// The migration to another store; nil if none has begun.
    static func migration(_ database: Database) throws -> Int64? {
        try Int64.fetchOne(database, sql: "SELECT migration FROM store")
    }

    static func setMigration(_ number: Int64?, _ database: Database) throws {
        try database.execute(sql: "UPDATE store SET migration = ?", arguments: [number])
    }

    /// The store that has the data now; nil while it is here.
    static func movedTo(_ database: Database) throws -> String? {
        try String.fetchOne(database.cachedStatement(sql: "SELECT moved_to FROM store"))
    }

    static func seal(_ database: Database) throws -> MoveSource.Seal? {
        let row = try Row.fetchOne(
            database, sql: "SELECT moved_to, moved_to_target FROM store WHERE moved_to IS NOT NULL")
        return row.map { MoveSource.Seal(place: $0[0], target: $0[1]) }
    }

    static func set(_ seal: MoveSource.Seal, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE store SET moved_to = ?, moved_to_target = ?", arguments: [seal.place, seal.target])
    }

    /// Refuses the request of a server that still runs after its data has moved.
    static func refuseMoved(_ database: Database) throws {
        if try movedTo(database) != nil { throw Denial.unavailable(retryAfter: .seconds(1)) }
    }

    static func write(_ database: Database) throws {
        try database.cachedStatement(sql: "UPDATE store SET written = randomblob(?)").execute(arguments: [weight])
    }
}
