// `CredentialStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Foundation
import GRDB

extension SQLiteStore {
    public func add(
        _ credential: ServiceCredential, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        try await commits.commit { journal in
            try journal.database.execute(
                sql: """
                    INSERT INTO credentials (\(Self.columns)) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                    """,
                arguments: [
                    credential.id.rawValue, Data(credential.digest), try JSONEncoder().encode(credential.rights),
                    credential.createdAt.milliseconds, credential.expiresAt?.milliseconds,
                ])
            guard journal.database.changesCount == 1 else { return nil }
            return try journal.record(events)
        }
    }

    public func credential(_ id: CredentialID) async throws -> ServiceCredential? {
        try await pool.read { database in
            let statement = try database.cachedStatement(sql: "SELECT \(Self.columns) FROM credentials WHERE id = ?")
            return try Row.fetchOne(statement, arguments: [id.rawValue]).map(Self.credential)
        }
    }

    public func credentials() async throws -> [ServiceCredential] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT \(Self.columns) FROM credentials ORDER BY created_at, id")
                .map(Self.credential)
        }
    }

    public func remove(
        _ id: CredentialID, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        try await commits.commit { journal in
            try journal.database.execute(sql: "DELETE FROM credentials WHERE id = ?", arguments: [id.rawValue])
            guard journal.database.changesCount == 1 else { return nil }
            return try journal.record(events)
        }
    }

    private static let columns = "id, digest, rights, created_at, expires_at"

    private static func credential(_ row: Row) throws -> ServiceCredential {
        ServiceCredential(
            id: CredentialID(row[0]), digest: Array(row[1] as Data),
            rights: try DocumentDecoder.decode(ServiceCredential.Rights.self, from: row[2] as Data),
            createdAt: Instant(milliseconds: row[3]),
            expiresAt: (row[4] as Int64?).map { Instant(milliseconds: $0) })
    }
}
