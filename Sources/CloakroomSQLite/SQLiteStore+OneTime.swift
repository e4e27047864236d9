// `OneTimeStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Foundation
import GRDB

extension SQLiteStore {
    public func put(_ entry: OneTimeEntry, at now: Instant) async throws -> Bool {
        try await commits.write { database in
            try database.execute(
                sql: """
                    INSERT INTO one_time (purpose, digest, value, expires_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (purpose, digest) DO UPDATE
                    SET value = excluded.value, expires_at = excluded.expires_at WHERE expires_at <= ?
                    """,
                arguments: [
                    entry.key.purpose, Data(entry.key.digest), Data(entry.value), entry.expiresAt.milliseconds,
                    now.milliseconds,
                ])
            return database.changesCount == 1
        }
    }

    public func take(_ key: OneTimeKey, at now: Instant) async throws -> [UInt8]? {
        try await commits.write { database in
            let row = try Row.fetchOne(
                database, sql: "DELETE FROM one_time WHERE purpose = ? AND digest = ? RETURNING value, expires_at",
                arguments: [key.purpose, Data(key.digest)])
            return row.flatMap { now.milliseconds < $0["expires_at"] ? Array($0["value"] as Data) : nil }
        }
    }
}
