// `AccountStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores

extension PostgresStore {
    public func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
        var text = StatementText()
        let values = account.values.map { text.bind($0) }.joined(separator: ", ")
        let sql = """
            WITH added AS (
                INSERT INTO cloakroom.accounts (\(Account.columns)) VALUES (\(values))
                ON CONFLICT (email) DO NOTHING RETURNING subject)
            \(try self.events.insertion(of: events, if: "added", &text))
            SELECT 1 FROM added
            """
        let statement = Statement(sql, text.values, months: EventRows.months(events))
        let isAdded = try await sessions.perform("accounts \(account.email)") { result in
            Self.adding(statement, account, result)
        }
        return isAdded ? Committed((), events: events) : nil
    }

    private static func adding(
        _ statement: Statement, _ account: Account, _ result: WorkResult<Bool>
    ) -> PostgresStep {
        .write(
            [statement],
            then: { rows in
                result.value = rows[0].count == 1
                return .done
            },
            // The subject is random: an account that has it is this one.
            ifUnknown: .read([Account.selection("WHERE subject = $1", [.text(account.subject.rawValue)])]) { rows in
                guard rows[0].count == 1 else { return adding(statement, account, result) }
                result.value = true
                return .done
            })
    }

    public func account(_ email: EmailAddress) async throws -> Account? {
        try await sessions.read([Account.selection("WHERE email = $1", [.text(email.rawValue)])]) {
            $0[0].first.flatMap(Account.init)
        }
    }

    public func account(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (account: Account?, network: NetworkFamiliarity) {
        // One statement with the same parts for every address: the time must not show whether there is an account.
        let statement = Statement(
            """
            SELECT \(Account.columns), EXISTS (
                    SELECT FROM cloakroom.known_networks AS n
                    WHERE n.network = $2 AND n.subject = coalesce(a.subject, '')),
                EXISTS (SELECT FROM cloakroom.known_networks AS n WHERE n.network = $2)
            FROM (SELECT 1) AS always LEFT JOIN cloakroom.accounts AS a ON email = $1
            """, [.text(email.rawValue), .text(network.rawValue)])
        return try await sessions.read([statement]) { rows in
            guard let row = rows[0].first else { return (nil, .none) }
            return (Account(row), row.bool(6) ? .own : row.bool(7) ? .others : .none)
        }
    }

    public func account(_ subject: Subject) async throws -> Account? {
        try await sessions.read([Account.selection("WHERE subject = $1", [.text(subject.rawValue)])]) {
            $0[0].first.flatMap(Account.init)
        }
    }

    public func accounts() async throws -> [Account] {
        try await queries.read([Account.selection("ORDER BY email", [])]) { rows in
            rows[0].map(Account.init).compactMap { $0 }
        }
    }

    public func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        let statement = Statement(
            "UPDATE cloakroom.accounts SET password_hash = $3 WHERE subject = $1 AND password_hash = $2",
            [.text(subject.rawValue), .text(old.text), .text(new.text)])
        try await sessions.perform("accounts \(subject)") { .repeatable([statement], $0) { _ in } }
    }

    public func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void>? {
        let end = SessionChange.End(reason: .accountDisabled, time: now)
        var text = StatementText()
        let name = text.bind(.text(subject.rawValue))
        let sql = """
            WITH switched AS (
                UPDATE cloakroom.accounts
                SET disabled = \(text.bind(.bool(isDisabled))), credential_version = credential_version + 1
                WHERE subject = \(name) RETURNING subject)
            \(try self.events.insertion(of: events, if: "switched", &text)),
            \(try SessionChange.parts(
                ending: "subject = \(name) AND \(isDisabled)", end, self.events, &text))
            \(SubjectChange.selection(of: "switched"))
            """
        return try await change(subject, Statement(sql, text.values), events, end) { _ in }
    }
}

extension Account {
    static let columns = "subject, email, password_hash, credential_version, disabled, created_at"

    static func selection(_ clause: String, _ values: [SQLValue]) -> Statement {
        Statement("SELECT \(columns) FROM cloakroom.accounts \(clause)", values)
    }

    fileprivate var values: [SQLValue] {
        [
            .text(subject.rawValue), .text(email.rawValue), .text(passwordHash.text), .int(Int64(credentialVersion)),
            .bool(isDisabled), .int(createdAt.milliseconds),
        ]
    }

    /// nil for a row of NULLs, or with an address that this version does not know.
    fileprivate init?(_ row: SQLRow) {
        guard let email = row.optionalText(1).flatMap(EmailAddress.init(parsing:)) else { return nil }
        self.init(
            subject: Subject(row.text(0)), email: email, passwordHash: PasswordHash(phc: row.text(2)),
            credentialVersion: Int(row.int(3)), isDisabled: row.bool(4), createdAt: row.instant(5))
    }
}

extension PasswordHash {
    var text: String { String(decoding: phc.bytes, as: UTF8.self) }
}
