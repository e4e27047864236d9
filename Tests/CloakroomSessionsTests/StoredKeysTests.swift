import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Dispatch
import Logging
import Synchronization
import Testing

@testable import CloakroomSessions

@Suite struct StoredKeysTests {
    private let time = TestEnvironment()
    private let store: InMemoryKeys
    private let policy = SessionPolicy()

    init() {
        let time = time
        store = InMemoryKeys { time.now }
    }

    /// One of the instances that share the store.
    private func instance(_ secrets: UInt8..., log: CapturedLog? = nil) -> StoredKeys {
        let time = time
        let environment = Environment(
            now: { time.now }, uptime: { time.uptime }, random: Environment.system.random)
        let known = (secrets.isEmpty ? [1] : secrets).map { MasterSecretTests.secrets($0).text }.joined(separator: ",")
        let logger = log.map { log in Logger(label: "test") { _ in log } } ?? Logger(label: "test")
        return StoredKeys(store, environment: environment, logger: logger) {
            try #require(MasterSecrets(parsing: known))
        }
    }

    private func ids(_ keys: IssuerKeys?) -> Set<String> {
        Set((keys?.signing.map(\.key.id) ?? []) + (keys?.refresh.map(\.key.id) ?? []))
    }

    private func rotate(_ keys: StoredKeys, _ start: Span = IssuerKeys.publication) async throws -> IssuerKeys {
        let now = time.now
        return try await keys.update { try #require($0).rotated(from: now + start, at: now) }
    }

    @Test("twenty instances that start at once have the same keys")
    func start() async throws {
        let all = try await withThrowingTaskGroup(of: IssuerKeys.self) { group in
            for _ in 0..<20 { group.addTask { try await instance().open(nil, under: policy) } }
            return try await group.reduce(into: [IssuerKeys]()) { $0.append($1) }
        }
        #expect(Set(all.map { ids($0) }).count == 1)
        #expect(all[0].signing.count == 1 && all[0].refresh.count == 1 && store.rows.count == 2)
        #expect(all[0].longestSession == policy.absoluteLifetime)
    }

    @Test("rotations at the same instant give one key, which all of them return; a later one gives another")
    func rotations() async throws {
        let first = try await instance().open(nil, under: policy)
        let all = try await withThrowingTaskGroup(of: IssuerKeys.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let (keys, now) = (instance(), time.now)
                    // All have read the same keys before the first of them writes.
                    let before = try #require(try await keys.read())
                    let wanted = try before.rotated(from: now + IssuerKeys.publication, at: now)
                    return try await keys.update { ids($0) == ids(first) ? wanted : try #require($0) }
                }
            }
            return try await group.reduce(into: [IssuerKeys]()) { $0.append($1) }
        }
        #expect(Set(all.map { ids($0) }).count == 1 && all[0].signing.count == 2)
        #expect(try await rotate(instance()).signing.count == 3)
    }

    @Test("a key that must sign at once is not satisfied by another's of the same period that is published first")
    func urgent() async throws {
        let (one, two) = (instance(), instance())
        _ = try await one.open(nil, under: policy)
        let racing = Mutex(true)
        let keys = try await two.update { keys in
            let now = time.now
            if racing.withLock({ isFirst in
                defer { isFirst = false }; return isFirst
            }) {
                // The other instance takes the period between this one's read and its write.
                blocking { _ = try await rotate(one) }
            }
            return try #require(keys).rotated(from: now, at: now)
        }
        #expect(keys.signing.count == 3)
        #expect(keys.signingKey(at: time.now).id != keys.signing[0].key.id)
    }

    /// Runs `body` in another task, and waits for its end.
    private func blocking(_ body: @escaping @Sendable () async throws -> Void) {
        let end = DispatchSemaphore(value: 0)
        Task.detached {
            try? await body()
            end.signal()
        }
        end.wait()
    }

    @Test("an instance reads what another has changed, and an unchanged store is not read again")
    func reading() async throws {
        let (one, two) = (instance(), instance())
        _ = try await one.open(nil, under: policy)
        guard case .read(let keys, let revision) = try await two.read(since: nil) else { return #expect(Bool(false)) }
        guard case .unchanged = try await two.read(since: revision) else { return #expect(Bool(false)) }
        let newer = try await rotate(one)
        guard case .read(let seen, _) = try await two.read(since: revision) else { return #expect(Bool(false)) }
        #expect(ids(seen) == ids(newer) && ids(newer).count == ids(keys).count + 1)
    }

    @Test("a store without keys says so, and one with keys of one kind is refused")
    func missing() async throws {
        guard case .absent = try await instance().read(since: nil) else { return #expect(Bool(false)) }
        _ = try await instance().open(nil, under: policy)
        store.restore(store.rows.filter { $0.identity.kind == .signing })
        await #expect(throws: UnusableData.self) { try await instance().open(nil, under: policy) }
    }

    @Test("under another master secret no key is read and none is made, and the error names both secrets by their ids")
    func otherSecret() async throws {
        _ = try await instance().open(nil, under: policy)
        let rows = store.rows
        let error = await #expect(throws: UnusableKeys.self) { try await instance(2).open(nil, under: policy) }
        for secret: UInt8 in [1, 2] {
            #expect(error?.description.contains(MasterSecretTests.secrets(secret).first.id) == true)
            #expect(error?.description.contains(MasterSecretTests.secrets(secret).text) == false)
        }
        #expect(store.rows == rows)
    }

    @Test("resealing changes the master secret without a change of keys")
    func reseal() async throws {
        let before = try await rotate(
            {
                let keys = instance(); _ = try await keys.open(nil, under: policy); return keys
            }())
        #expect(try await instance(1, 2).reseal() == 0)
        #expect(try await instance(2, 1).reseal() == 3)
        #expect(try await instance(2, 1).reseal() == 0)
        #expect(ids(try await instance(2).read()) == ids(before))
        await #expect(throws: UnusableKeys.self) { try await instance(1).read() }
    }

    // Lost rows.

    @Test(
        "each instance puts back what the store has lost: published keys, signing keys, and the marks of removed ones")
    func lost() async throws {
        let (one, two, log) = (instance(), instance(), CapturedLog())
        let watching = instance(log: log)
        let stolen = try await one.open(nil, under: policy).signing[0].key.id
        let backup = store.rows
        time.advance(.seconds(1))
        _ = try await rotate(one, .zero)
        _ = try await one.update { [time] in try #require($0).removing(stolen, at: time.now) }
        let newest = try await rotate(one)
        _ = try await watching.read()
        store.restore(backup)
        let repaired = try #require(try await watching.read())
        #expect(ids(repaired) == ids(newest) && repaired.removed == [stolen])
        #expect(log.lines.count == 1)
        #expect(ids(try await two.read()) == ids(newest), "also for an instance that did not know them")
        #expect(try await two.read()?.removed == [stolen])
    }

    @Test("a lost key whose period another key has taken gets another period")
    func taken() async throws {
        let one = instance()
        _ = try await one.open(nil, under: policy)
        let backup = store.rows
        let lost = try await rotate(one)
        store.restore(backup)
        let other = try await rotate(instance())
        let all = try #require(try await one.read())
        #expect(ids(all) == ids(lost).union(ids(other)) && all.signing.count == 3)
        #expect(ids(try await instance().read()) == ids(all))
    }

    @Test("an empty store gets all keys back, also those that a new instance has not made")
    func emptied() async throws {
        let (one, two) = (instance(), instance())
        let keys = try await one.open(nil, under: policy)
        _ = try await two.read()
        store.restore([])
        let newcomer = try await instance().open(nil, under: policy)
        for instance in [one, two] { #expect(ids(try await instance.read()) == ids(keys).union(ids(newcomer))) }
    }

    @Test("a key that no token needs is retired, and no instance that remembers it puts it back")
    func retired() async throws {
        let (one, two) = (instance(), instance())
        _ = try await one.open(nil, under: policy)
        for _ in 0..<3 { _ = try await rotate(one, .zero) }
        let old = ids(try await two.read())
        time.advance(.days(200))
        let kept = ids(try await rotate(one, .zero))
        #expect(kept.count < old.count + 1)
        for instance in [one, two] { #expect(ids(try await instance.read()) == kept) }
        #expect(store.rows.filter { $0.state == .retired }.count == old.count + 1 - kept.count)
    }

    @Test("the store has no key in the clear")
    func sealed() async throws {
        let keys = try await instance().open(nil, under: policy)
        let text = "\(store.rows)"
        for row in store.rows {
            guard case .live(let sealed) = row.state else { continue }
            for secret in [Array(keys.signing[0].key.serialized.utf8), keys.refresh[0].key.secret.bytes] {
                #expect(!sealed.contains(secret.prefix(8)))
            }
        }
        #expect(!text.contains(keys.signing[0].key.serialized))
    }
}

@Suite struct InMemoryKeysTests {
    @Test("the key store in memory passes the contract", arguments: KeyStoreContract.checks)
    func contract(_ check: KeyStoreContract.Check) async throws {
        try await check.run(InMemoryKeys { TestEnvironment.start })
    }
}
