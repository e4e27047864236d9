import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Synchronization
import Testing

@testable import CloakroomPostgres

@Suite struct RenewalTests {
    private let database: PostgresCluster.Database
    private let store: PostgresStore
    private static let now = TestEnvironment.start
    private static let policy = SessionPolicy()

    init() throws {
        database = try PostgresCluster.shared.get().database()
        store = try PostgresStore(url: database.url())
    }

    private static func session(_ id: String, of subject: String) -> Session {
        Session(
            id: SessionID(id), subject: Subject(subject), secret: Secret([1]), refreshKey: "k",
            details: Session.Details(
                client: .browser, remembered: false, userAgent: "", address: "",
                evidence: Evidence(.password, at: now)), at: now, under: policy)
    }

    private static func begin(
        _ id: String, of subject: String, replacing: String? = nil, maximumSessions: Int = 9, in store: PostgresStore
    ) async throws {
        _ = try await store.begin(
            SessionStart(
                session(id, of: subject), credentialVersion: nil, replacing: replacing.map { SessionID($0) },
                maximumSessions: maximumSessions, policy: policy),
            recording: [SecurityEvent(.login, at: now, subject: Subject(subject), session: SessionID(id))])
    }

    /// Rotates the refresh token, as a request does that comes after the window.
    @Sendable private static func rotate(_ session: inout Session) -> Decided<Int> {
        let time = session.rotatedAt + .minutes(2)
        session.confirm(generation: session.generation, at: time - .minutes(1), under: policy)
        _ = session.refresh(
            presenting: PresentedRefresh(generation: session.generation, issuedAt: session.rotatedAt, key: "k"),
            at: time,
            under: policy, signingWith: "k")
        return Decided(session.generation)
    }

    private static func renew(_ id: String, in store: PostgresStore) async throws -> Int? {
        try await store.update(SessionID(id), rotate)?.publish { _, _ in }
    }

    @Test("connections that are cut during renewals cost no acknowledged renewal and renew none twice")
    func cut() async throws {
        let store = store
        let names = (0..<8).map { "s\($0)" }
        for name in names { try await Self.begin(name, of: "u", in: store) }
        let (progress, cuts) = startCutting(every: 8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask {
                    // A renewal that was acknowledged twice, or lost, shifts the numbers of all that follow.
                    for generation in 1...40 {
                        let renewed = try await Self.patiently { try await Self.renew(name, in: store) }
                        #expect(renewed == generation)
                        progress.note()
                    }
                }
            }
            try await group.waitForAll()
        }
        cuts.cancel()
        _ = await cuts.result
        for name in names {
            let saved = try await Self.patiently { try await store.session(SessionID(name)) }
            #expect(saved?.generation == 40 && saved?.revocation == nil)
        }
    }

    @Test("a password change whose commit is not acknowledged is made once")
    func cutPasswords() async throws {
        let store = store
        let account = Account(
            subject: Subject("u"), email: try #require(EmailAddress(parsing: "u@example.com")),
            passwordHash: PasswordHash(phc: "0"), createdAt: Self.now)
        _ = try await store.add(account, recording: [])
        let (progress, cuts) = startCutting(every: 1)
        for version in 0..<60 {
            let change = PasswordChange(
                subject: account.subject, credentialVersion: version, hash: PasswordHash(phc: "\(version + 1)"),
                time: Self.now)
            let changed = try await Self.patiently { try await store.setPassword(change, recording: []) }
            #expect(changed != nil, "\(version)")
            progress.note()
        }
        cuts.cancel()
        _ = await cuts.result
        let saved = try await Self.patiently { try await store.account(account.subject) }
        #expect(saved?.credentialVersion == 60)
    }

    /// Counts what was acknowledged.
    private final class Progress: Sendable {
        private let state = Mutex(0)
        var count: Int { state.withLock { $0 } }

        func note() {
            state.withLock { $0 += 1 }
        }
    }

    /// Cuts all connections again and again, each time at another moment after so many acknowledgements.
    private func startCutting(every number: Int) -> (Progress, Task<Void, any Error>) {
        let (progress, database) = (Progress(), database)
        let cuts = Task {
            while true {
                let count = progress.count
                try await waitUntil { progress.count >= count + number }
                try await Task.sleep(for: .microseconds(Int.random(in: 0...3000)))
                try database.disconnectAll()
            }
        }
        return (progress, cuts)
    }

    /// Repeats what failed because the server could not be reached.
    private static func patiently<Value>(_ body: () async throws -> Value) async throws -> Value {
        while true {
            do { return try await body() } catch is Unreachable {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test("two stores that renew the same sessions at once lose no update and wait for no deadlock")
    func twoStores() async throws {
        let other = try PostgresStore(url: database.url())
        let names = (0..<30).map { "s\($0)" }
        for name in names { try await Self.begin(name, of: name, in: store) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in [store, other] {
                for name in names.shuffled() + names.shuffled() {
                    group.addTask {
                        for _ in 0..<5 { _ = try await Self.renew(name, in: store) }
                    }
                }
            }
            try await group.waitForAll()
        }
        for name in names {
            let saved = try await store.session(SessionID(name))
            #expect(saved?.generation == 20)
        }
        let deadlocks = try database.run(
            "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()")
        #expect(deadlocks == ["0"])
    }

    @Test("renewals are HOT: they change no index")
    func hot() async throws {
        let names = (0..<200).map { "s\($0)" }
        for name in names { try await Self.begin(name, of: "u\(name)", in: store) }
        for _ in 0..<3 {
            for name in names {
                _ = try await Self.renew(name, in: store)
            }
        }
        let database = database
        let counts = "FROM pg_stat_all_tables WHERE relid = 'cloakroom.sessions'::regclass"
        try await waitUntil { try database.run("SELECT n_tup_upd::text \(counts)") == ["600"] }
        // In so small a table, an update may find its page full before the old versions in it may go. With an index on a
        // column that a renewal changes, it would be none.
        let hot = try database.run("SELECT n_tup_hot_upd::text \(counts)")
        #expect((Int(hot[0]) ?? 0) > 300, "\(hot) of 600")
    }

    @Test("every transaction touches one session or one subject")
    func oneSubject() async throws {
        try recordTouches()
        let store = try PostgresStore(url: database.url(.direct, "group=1"))
        for (index, subject) in ["ann", "ann", "bob", "bob", "eve"].enumerated() {
            try await Self.begin("s\(index)", of: subject, in: store)
        }
        try await Self.begin("s5", of: "ann", replacing: "s2", in: store)
        try await Self.begin("s6", of: "bob", maximumSessions: 1, in: store)
        try await store.confirm(
            ["s0", "s4", "s6"].map { Sighting(session: SessionID($0), generation: 0, time: Self.now + .minutes(2)) },
            under: Self.policy)
        _ = try await Self.renew("s0", in: store)
        _ = try await store.setBlocked(true, Subject("eve"), recording: [], at: Self.now)
        _ = try await store.setClaims(
            ClaimsChange(subject: Subject("ann"), claims: .empty, effect: .now(Self.now)), recording: [])
        _ = try await store.revoke(.all, reason: .endedByAdministrator, at: Self.now, after: nil, limit: 100)
        let touches = try database.run(
            "SELECT string_agg(DISTINCT subject, ' ') FROM touches GROUP BY xid ORDER BY xid")
        #expect(touches.count >= 15 && touches.allSatisfy { !$0.contains(" ") }, "\(touches)")
        #expect(Set(touches) == ["ann", "bob", "eve"])
    }

    /// Makes triggers note the subject of each changed row beside the transaction.
    private func recordTouches() throws {
        try database.run("CREATE TABLE touches (xid xid8 DEFAULT pg_current_xact_id(), subject text)")
        try database.run(
            """
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE changed jsonb := to_jsonb(coalesce(NEW, OLD)); BEGIN
            INSERT INTO touches (subject) VALUES (coalesce(changed->>'subject',
                (SELECT subject FROM cloakroom.sessions WHERE id = changed->>'session')));
            RETURN NULL; END $$
            """)
        for table in ["sessions", "subjects", "known_networks", "revocations", "stale_marks", "events"] {
            try database.run(
                """
                CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON cloakroom.\(table)
                FOR EACH ROW EXECUTE FUNCTION touch()
                """)
        }
    }
}
