// What these methods promise stands at `SessionStore` and `UserStore`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomService
public import CloakroomTokens
import GRDB

extension SQLiteStore {
    public func add(_ user: User, recording events: [SecurityEvent]) async throws -> Bool {
        try await commits.write { database in
            try database.execute(
                sql: """
                    INSERT INTO users (subject, email, password_hash, credential_version, disabled, created_at)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING
                    """,
                arguments: [
                    user.subject.rawValue, user.email.rawValue, user.passwordHash.text, user.credentialVersion,
                    user.isDisabled, user.createdAt.milliseconds,
                ])
            guard database.changesCount == 1 else { return false }
            try Events.append(events, database)
            return true
        }
    }

    public func user(_ email: EmailAddress) async throws -> User? {
        try await users("WHERE email = ?", [email.rawValue]).first
    }

    public func user(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (user: User?, network: NetworkFamiliarity) {
        try await pool.read { database in
            let user = try Self.users("WHERE email = ?", [email.rawValue], database).first
            return (user, try KnownNetworks.familiarity(of: network, to: user?.subject ?? Subject(""), database))
        }
    }

    public func user(_ subject: Subject) async throws -> User? {
        try await users("WHERE subject = ?", [subject.rawValue]).first
    }

    public func users() async throws -> [User] {
        try await users("ORDER BY email", [])
    }

    public func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        try await commits.write { database in
            try database.execute(
                sql: "UPDATE users SET password_hash = ? WHERE subject = ? AND password_hash = ?",
                arguments: [new.text, subject.rawValue, old.text])
        }
    }

    public func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> (value: Value, revoked: [Revoked])? {
        try await commits.write { database in
            guard try Self.isCurrent(change, database) else { return nil }
            var agrees = false
            let updated = try Self.update(session, database) { session -> Decided<Value> in
                let decision = decide(&session)
                agrees = decision.agrees
                return decision.decided
            }
            guard let updated else { return nil }
            return (updated.value, agrees ? try Self.set(change, keeping: session, database) : [])
        }
    }

    public func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws -> [Revoked]? {
        try await commits.write { database in
            guard try Self.isCurrent(change, database) else { return nil }
            try Events.append(events, database)
            return try Self.set(change, keeping: nil, database)
        }
    }

    private static func isCurrent(_ change: PasswordChange, _ database: Database) throws -> Bool {
        let user = try users("WHERE subject = ?", [change.subject.rawValue], database).first
        return user?.credentialVersion == change.credentialVersion
    }

    private static func set(
        _ change: PasswordChange, keeping kept: SessionID?, _ database: Database
    ) throws -> [Revoked] {
        try database.execute(
            sql: "UPDATE users SET password_hash = ?, credential_version = credential_version + 1 WHERE subject = ?",
            arguments: [change.hash.text, change.subject.rawValue])
        return try revoke(
            .ofSubject(change.subject, except: kept), reason: .passwordChanged, at: change.time, database)
    }

    public func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> [Revoked]? {
        try await commits.write { database in
            try database.execute(
                sql: """
                    UPDATE users SET disabled = ?, credential_version = credential_version + 1 WHERE subject = ?
                    """,
                arguments: [isDisabled, subject.rawValue])
            guard database.changesCount == 1 else { return nil }
            try Events.append(events, database)
            guard isDisabled else { return [] }
            return try Self.revoke(.ofSubject(subject, except: nil), reason: .accountDisabled, at: now, database)
        }
    }

    private func users(_ clause: String, _ arguments: StatementArguments) async throws -> [User] {
        try await pool.read { try Self.users(clause, arguments, $0) }
    }

    static func users(_ clause: String, _ arguments: StatementArguments, _ database: Database) throws -> [User] {
        let statement = try database.cachedStatement(sql: "SELECT \(columns) FROM users \(clause)")
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        var users: [User] = []
        while let row = try rows.next() { if let user = user(row) { users.append(user) } }
        return users
    }

    private static let columns = "subject, email, password_hash, credential_version, disabled, created_at"

    private static func user(_ row: Row) -> User? {
        EmailAddress(parsing: row[1]).map { email in
            User(
                subject: Subject(row[0]), email: email, passwordHash: PasswordHash(phc: row[2]),
                credentialVersion: row[3], isDisabled: row[4], createdAt: Instant(milliseconds: row[5]))
        }
    }
}

extension PasswordHash {
    fileprivate var text: String { String(decoding: phc.bytes, as: UTF8.self) }
}
