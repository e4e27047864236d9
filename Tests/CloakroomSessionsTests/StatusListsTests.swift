import CloakroomCore
import CloakroomTesting
import Logging
import Synchronization
import Testing

@testable import CloakroomSessions
@testable import CloakroomStores
@testable import CloakroomTokens

@Suite struct StatusListsTests {
    private struct Trouble: Error {}

    /// Lists over a view that a feed in good order confirms.
    private final class Fixture: Sendable {
        let time = TestEnvironment()
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let ids = SessionIDs()
        let reads = Mutex(0)
        let isBroken = Mutex(false)
        let keys: LiveKeys<IssuerKeys>
        let lists = Mutex<StatusLists?>(nil)

        init(ttl: Int = 20) throws {
            keys = LiveKeys(try Self.keys(at: time.now))
            let made = StatusLists(
                StatusListService(prefix: "/", ttl: ttl), view: view, keys: keys, environment: time.environment
            ) { [unowned self] in try catchUp() }
            lists.withLock { $0 = made }
        }

        static func keys(at now: Instant) throws -> IssuerKeys {
            let secret = RefreshKey(id: "r1", secret: Secret([UInt8](repeating: 7, count: 32)))
            return try IssuerKeys(
                signing: [.init(key: SigningKey.generate(.es256), createdAt: now, signsFrom: now)],
                refresh: [.init(key: secret, createdAt: now)])
        }

        private func catchUp() throws {
            reads.withLock { $0 += 1 }
            guard !isBroken.withLock({ $0 }) else { throw Trouble() }
            view.confirm(at: time.uptime, time.now)
        }

        func session() -> SessionID { ids.next(time.environment.random(SessionIDs.randomSize)) }

        func token(_ session: SessionID) async throws -> [UInt8] {
            let list = try #require(StatusListEntry(session)).list
            return try await #require(lists.withLock { $0 }).token(of: list)
        }

        func claims(_ session: SessionID) async throws -> JSONObject {
            try await VerifiedJWS.verify(token(session), with: keys.current.verifierKeys.keySet).claims()
        }
    }

    @Test("a revoked session is in its list after a quarter of ttl, and the list is signed once until then")
    func interval() async throws {
        let fixture = try Fixture()
        let (ended, other) = (fixture.session(), fixture.session())
        let first = try await fixture.token(ended)
        fixture.view.insert(ended, at: fixture.time.uptime)
        fixture.time.advance(Span(milliseconds: 4999))
        #expect(try await fixture.token(other) == first)
        fixture.time.advance(Span(milliseconds: 1))
        let second = try await fixture.claims(other)
        #expect(second["iat"] == .integer(fixture.time.now.seconds))
        let index = try #require(StatusListEntry(ended)).index
        #expect(second["status_list"] == (try StatusList(invalid: [Int(index)]).json), "and no other session is in it")
    }

    @Test("a list that names no session is signed for every name")
    func empty() async throws {
        let fixture = try Fixture()
        fixture.view.insert(fixture.session(), at: fixture.time.uptime)
        let stranger = SessionIDs().next([UInt8](repeating: 9, count: SessionIDs.randomSize))
        let claims = try await fixture.claims(stranger)
        let name = try #require(StatusListEntry(stranger)).list.text
        #expect(claims["sub"] == .string("/\(name)"))
    }

    @Test("iat is the time of the proof that the view is current, not of the signature")
    func proof() async throws {
        let fixture = try Fixture()
        fixture.view.confirm(at: fixture.time.uptime, fixture.time.now)
        let proven = fixture.time.now.seconds
        fixture.time.advance(.seconds(4))
        #expect(try await fixture.claims(fixture.session())["iat"] == .integer(proven))
        #expect(fixture.reads.withLock { $0 } == 0, "the view was young enough")
    }

    @Test("while the feed cannot be read the list is served for ttl, then refused, then served again")
    func outage() async throws {
        let fixture = try Fixture()
        let (session, ended) = (fixture.session(), fixture.session())
        let proven = try await fixture.claims(session)["iat"]
        fixture.isBroken.withLock { $0 = true }
        fixture.time.advance(.seconds(19))
        // A logout at this instance, which the store has not taken yet.
        fixture.view.insert(ended, at: fixture.time.uptime)
        let later = try await fixture.claims(session)
        #expect(later["iat"] == proven)
        fixture.time.advance(.seconds(6))
        await #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try await fixture.token(session) }
        fixture.isBroken.withLock { $0 = false }
        #expect(try await fixture.claims(session)["iat"] == .integer(fixture.time.now.seconds))
    }

    @Test("a wall clock that is set back makes no list with a time to come", arguments: [0, 5] as [Int64])
    func setBack(_ seconds: Int64) async throws {
        let fixture = try Fixture()
        let session = fixture.session()
        _ = try await fixture.token(session)
        fixture.isBroken.withLock { $0 = true }
        fixture.time.step(Span(milliseconds: -86_400_000))
        fixture.time.advance(.seconds(seconds))
        await #expect(throws: Denial.unavailable(retryAfter: .seconds(1))) { try await fixture.token(session) }
    }

    @Test("a wall clock that goes forward alone, also in a suspended machine, makes no list later than its proof")
    func setForward() async throws {
        let fixture = try Fixture()
        let session = fixture.session()
        let proven = try await fixture.claims(session)["iat"]
        fixture.isBroken.withLock { $0 = true }
        fixture.time.step(Span.seconds(3600))
        fixture.time.advance(.seconds(5))
        #expect(try await fixture.claims(session)["iat"] == proven)
    }

    @Test("a list is signed again when another key signs")
    func rotation() async throws {
        let fixture = try Fixture()
        let session = fixture.session()
        let first = try await fixture.token(session)
        fixture.keys.replace(with: try Fixture.keys(at: fixture.time.now))
        #expect(try await fixture.token(session) != first)
        #expect(try await fixture.claims(session)["ttl"] == 20)
    }

    @Test("after a rollback of the store a list still has what this process remembers, and what the store has since")
    func rollback() async throws {
        let fixture = try Fixture()
        let (store, time) = (InMemoryStore(), fixture.time)
        let log = SecurityLog(logger: Logger(label: "t"), uptime: time.environment.uptime)
        let feed = RevocationFeed(
            store: store, view: fixture.view,
            publisher: Publisher(log: log, view: fixture.view, environment: time.environment),
            environment: time.environment, patience: .seconds(600), logger: Logger(label: "t"))
        let (kept, lost, fresh, live) = (fixture.session(), fixture.session(), fixture.session(), fixture.session())
        for id in [kept, lost, fresh, live] { try await begin(id, in: store, at: time.now) }
        try await end(kept, in: store, at: time.now)
        let copy = store.copy()
        try await end(lost, in: store, at: time.now)
        try await feed.catchUp()
        store.replace(by: copy)
        time.advance(.seconds(20))
        try await end(fresh, in: store, at: time.now)
        try await feed.catchUp()
        let indexes = try [kept, lost, fresh].map { Int(try #require(StatusListEntry($0)).index) }
        #expect(try await fixture.claims(live)["status_list"] == (try StatusList(invalid: indexes).json))
    }

    @Test("requests for invented names do not fill the memory, and hide no revocation")
    func flood() async throws {
        let fixture = try Fixture()
        let ended = fixture.session()
        fixture.view.insert(ended, at: fixture.time.uptime)
        for number in 0..<5000 {
            let name = "AAAAAAAA" + String(10_000 + number).suffix(4)
            let list = try #require(StatusListID(name))
            _ = try await #require(fixture.lists.withLock { $0 }).token(of: list)
        }
        #expect(await fixture.lists.withLock { $0 }?.snapshot?.signed.count == 4096)
        let index = try #require(StatusListEntry(ended)).index
        #expect(
            try await fixture.claims(fixture.session())["status_list"]
                == (try StatusList(invalid: [Int(index)]).json))
    }
}
