// `CredentialStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Foundation

extension PostgresStore {
    public func add(
        _ credential: ServiceCredential, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        var text = StatementText()
        let values: [SQLValue] = [
            .text(credential.id.rawValue), .bytes(credential.digest),
            .bytes(Array(try JSONEncoder().encode(credential.rights))), .int(credential.createdAt.milliseconds),
            .int(credential.expiresAt?.milliseconds),
        ]
        let sql = """
            WITH added AS (
                INSERT INTO cloakroom.credentials (\(Self.credentialColumns))
                VALUES (\(values.map { text.bind($0) }.joined(separator: ", ")))
                ON CONFLICT (id) DO NOTHING RETURNING id)
            \(try self.events.insertion(of: events, if: "added", &text))
            SELECT 1 FROM added
            """
        let statement = Statement(sql, text.values, months: EventRows.months(events))
        let isAdded = try await sessions.perform("credentials \(credential.id)") { result in
            Self.adding(statement, credential, result)
        }
        return isAdded ? Committed((), events: events) : nil
    }

    private static func adding(
        _ statement: Statement, _ credential: ServiceCredential, _ result: WorkResult<Bool>
    ) -> PostgresStep {
        let ours = Statement(
            "SELECT 1 FROM cloakroom.credentials WHERE id = $1 AND digest = $2",
            [.text(credential.id.rawValue), .bytes(credential.digest)])
        return .write(
            [statement],
            then: { rows in
                result.value = rows[0].count == 1
                return .done
            },
            // The digest is of a random secret: a credential that has it is this one.
            ifUnknown: .read([ours]) { rows in
                guard rows[0].count == 1 else { return adding(statement, credential, result) }
                result.value = true
                return .done
            })
    }

    public func credential(_ id: CredentialID) async throws -> ServiceCredential? {
        let statement = Statement(
            "SELECT \(Self.credentialColumns) FROM cloakroom.credentials WHERE id = $1", [.text(id.rawValue)])
        return try await sessions.read([statement]) { try $0[0].first.map(Self.credential) }
    }

    public func credentials() async throws -> [ServiceCredential] {
        let statement = Statement("SELECT \(Self.credentialColumns) FROM cloakroom.credentials ORDER BY created_at, id")
        return try await queries.read([statement]) { try $0[0].map(Self.credential) }
    }

    public func remove(_ id: CredentialID, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
        var text = StatementText()
        let sql = """
            WITH removed AS (
                DELETE FROM cloakroom.credentials WHERE id = \(text.bind(.text(id.rawValue))) RETURNING id)
            \(try self.events.insertion(of: events, if: "removed", &text))
            SELECT 1 FROM removed
            """
        let statement = Statement(sql, text.values, months: EventRows.months(events))
        let isRemoved = try await sessions.perform("credentials \(id)") { Self.removing(statement, id, $0) }
        return isRemoved ? Committed((), events: events) : nil
    }

    private static func removing(
        _ statement: Statement, _ id: CredentialID, _ result: WorkResult<Bool>
    ) -> PostgresStep {
        let there = Statement("SELECT 1 FROM cloakroom.credentials WHERE id = $1", [.text(id.rawValue)])
        return .write(
            [statement],
            then: { rows in
                result.value = rows[0].count == 1
                return .done
            },
            // It was there when the caller asked, or another caller has removed it: in either case it is gone.
            ifUnknown: .read([there]) { rows in
                guard rows[0].count == 0 else { return removing(statement, id, result) }
                result.value = true
                return .done
            })
    }

    private static let credentialColumns = "id, digest, rights, created_at, expires_at"

    private static func credential(_ row: SQLRow) throws -> ServiceCredential {
        ServiceCredential(
            id: CredentialID(row.text(0)), digest: row.bytes(1),
            rights: try DocumentDecoder.decode(ServiceCredential.Rights.self, from: row.bytes(2)),
            createdAt: row.instant(3), expiresAt: row.optionalInt(4).map { Instant(milliseconds: $0) })
    }
}
