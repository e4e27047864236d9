// `OneTimeStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores

/// An entry is not deleted when it is taken, but marked with a random number of the caller: after a lost connection the
/// mark tells whether this caller has taken it. The sweep deletes it when it has expired.
extension PostgresStore {
    public func put(_ entry: OneTimeEntry, at now: Instant) async throws -> Bool {
        let caller = Int64.random(in: 1...Int64.max)
        let statement = Statement(
            """
            INSERT INTO cloakroom.one_time AS kept (purpose, digest, value, expires_at, put_by)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (purpose, digest) DO UPDATE
            SET value = excluded.value, expires_at = excluded.expires_at, put_by = excluded.put_by, taken_by = NULL
            WHERE kept.expires_at <= $6 OR kept.taken_by IS NOT NULL OR kept.put_by = $5
            """,
            entry.key.values + [
                .bytes(entry.value), .int(entry.expiresAt.milliseconds), .int(caller), .int(now.milliseconds),
            ])
        return try await sessions.perform(entry.key.order) { .repeatable([statement], $0) { $0[0].changes == 1 } }
    }

    public func take(_ key: OneTimeKey, at now: Instant) async throws -> [UInt8]? {
        let caller = Int64.random(in: 1...Int64.max)
        let statement = Statement(
            """
            UPDATE cloakroom.one_time SET taken_by = $3
            WHERE purpose = $1 AND digest = $2 AND expires_at > $4 AND (taken_by IS NULL OR taken_by = $3)
            RETURNING value
            """, key.values + [.int(caller), .int(now.milliseconds)])
        return try await sessions.perform(key.order) { .repeatable([statement], $0) { $0[0].first?.bytes(0) } }
    }
}

extension OneTimeKey {
    fileprivate var values: [SQLValue] { [.text(purpose), .bytes(digest)] }

    fileprivate var order: String { "one_time \(purpose) \(digest)" }
}
