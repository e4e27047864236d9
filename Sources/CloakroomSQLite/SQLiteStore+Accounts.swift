// `AccountStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import GRDB

extension SQLiteStore {
    public func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
        try await commits.commit { journal in
            try journal.database.execute(
                sql: """
                    INSERT INTO accounts (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING
                    """,
                arguments: [
                    account.subject.rawValue, account.email.rawValue, account.passwordHash.text,
                    account.credentialVersion, account.isDisabled, account.createdAt.milliseconds,
                ])
            guard journal.database.changesCount == 1 else { return nil }
            return try journal.record(events)
        }
    }

    public func account(_ email: EmailAddress) async throws -> Account? {
        try await accounts("WHERE email = ?", [email.rawValue]).first
    }

    public func account(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (account: Account?, network: NetworkFamiliarity) {
        try await pool.read { database in
            let account = try Self.accounts("WHERE email = ?", [email.rawValue], database).first
            return (account, try KnownNetworks.familiarity(of: network, to: account?.subject ?? Subject(""), database))
        }
    }

    public func account(_ subject: Subject) async throws -> Account? {
        try await accounts("WHERE subject = ?", [subject.rawValue]).first
    }

    public func accounts() async throws -> [Account] {
        try await accounts("ORDER BY email", [])
    }

    public func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        try await commits.write { database in
            try database.execute(
                sql: "UPDATE accounts SET password_hash = ? WHERE subject = ? AND password_hash = ?",
                arguments: [new.text, subject.rawValue, old.text])
        }
    }

    public func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> Committed<Value>? {
        try await commits.commit { journal in
            guard try Self.isCurrent(change, journal.database) else { return nil }
            var agrees = false
            let value = try Self.update(session, checking: nil, &journal) { session -> Decided<Value> in
                let decision = decide(&session)
                agrees = decision.agrees
                return decision.decided
            }
            if value != nil, agrees { try Self.set(change, keeping: session, &journal) }
            return value
        }
    }

    public func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws
        -> Committed<Void>?
    {
        try await commits.commit { journal in
            guard try Self.isCurrent(change, journal.database) else { return nil }
            try journal.record(events)
            return try Self.set(change, keeping: nil, &journal)
        }
    }

    private static func isCurrent(_ change: PasswordChange, _ database: Database) throws -> Bool {
        let account = try accounts("WHERE subject = ?", [change.subject.rawValue], database).first
        return account?.credentialVersion == change.credentialVersion
    }

    private static func set(
        _ change: PasswordChange, keeping kept: SessionID?, _ journal: inout Journal
    ) throws {
        try journal.database.execute(
            sql: "UPDATE accounts SET password_hash = ?, credential_version = credential_version + 1 WHERE subject = ?",
            arguments: [change.hash.text, change.subject.rawValue])
        try revoke(.ofSubject(change.subject, except: kept), reason: .passwordChanged, at: change.time, &journal)
    }

    public func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void>? {
        try await commits.commit { journal in
            try journal.database.execute(
                sql: """
                    UPDATE accounts SET disabled = ?, credential_version = credential_version + 1 WHERE subject = ?
                    """,
                arguments: [isDisabled, subject.rawValue])
            guard journal.database.changesCount == 1 else { return nil }
            try journal.record(events)
            guard isDisabled else { return () }
            return try Self.revoke(
                .ofSubject(subject, except: nil), reason: .accountDisabled, at: now, &journal)
        }
    }

    private func accounts(_ clause: String, _ arguments: StatementArguments) async throws -> [Account] {
        try await pool.read { try Self.accounts(clause, arguments, $0) }
    }

    private static func accounts(
        _ clause: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [Account] {
        let statement = try database.cachedStatement(sql: "SELECT \(columns) FROM accounts \(clause)")
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        var accounts: [Account] = []
        while let row = try rows.next() { if let account = account(row) { accounts.append(account) } }
        return accounts
    }

    private static let columns = "subject, email, password_hash, credential_version, disabled, created_at"

    private static func account(_ row: Row) -> Account? {
        EmailAddress(parsing: row[1]).map { email in
            Account(
                subject: Subject(row[0]), email: email, passwordHash: PasswordHash(phc: row[2]),
                credentialVersion: row[3], isDisabled: row[4], createdAt: Instant(milliseconds: row[5]))
        }
    }
}

extension PasswordHash {
    fileprivate var text: String { String(decoding: phc.bytes, as: UTF8.self) }
}
