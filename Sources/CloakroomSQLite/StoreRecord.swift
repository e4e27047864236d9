import Foundation
import GRDB

/// The single row of the table `store`: the epoch, and the bytes that `ping` writes.
enum StoreRecord {
    /// The number of bytes that a login writes, in whole pages.
    private static let weight = 32 * 1024

    static func epoch(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT epoch FROM store") ?? 0
    }

    static func setEpoch(_ epoch: Int64, _ database: Database) throws {
        try database.execute(sql: "UPDATE store SET epoch = ?", arguments: [epoch])
    }

    static func write(_ database: Database) throws {
        try database.cachedStatement(sql: "UPDATE store SET written = randomblob(?)").execute(arguments: [weight])
    }
}
