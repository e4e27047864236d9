import CloakroomCore
import CloakroomSessions
import CloakroomTesting
import Synchronization
import Testing

@testable import CloakroomAccounts
@testable import CloakroomStores

@Suite struct InMemoryAllowancesTests {
    @Test("the allowances in memory pass the contract", arguments: AllowanceContract.checks)
    func contract(_ check: AllowanceContract.Check) async throws {
        let time = TestEnvironment()
        try await check.run(InMemoryAllowances { time.uptime }) { time.advance(.seconds($0)) }
    }
}

/// Counts the calls, and fails when it is told to.
private final class Observed: AllowanceStore {
    struct Unreachable: Error {}

    private let inner: InMemoryAllowances
    private let state = Mutex((calls: 0, names: Set<[UInt8]>(), isReachable: true))

    init(_ time: TestEnvironment) {
        inner = InMemoryAllowances { time.uptime }
    }

    var calls: Int { state.withLock { $0.calls } }
    var names: Set<[UInt8]> { state.withLock { $0.names } }

    func set(isReachable: Bool) {
        state.withLock { $0.isReachable = isReachable }
    }

    func charge(_ tries: [[AllowanceCharge]]) async throws -> [Result<AllowanceReceipt, AllowanceShortage>] {
        let isReachable = state.withLock { state in
            state.calls += 1
            state.names.formUnion(tries.flatMap { $0.map(\.name) })
            return state.isReachable
        }
        guard isReachable else { throw Unreachable() }
        return try await inner.charge(tries)
    }

    func giveBack(_ receipts: [AllowanceReceipt]) async throws {
        try await inner.giveBack(receipts)
    }
}

/// The limit of logins in several processes on one store.
@Suite struct SharedLoginLimitTests {
    private let time = TestEnvironment()
    private let perMinute = 5
    private let store: Observed
    private let instances: [LoginRateLimit]

    init() {
        store = Observed(time)
        instances = (0..<3).map { _ in LoginRateLimit(perMinute: 5) }
    }

    private func requester(
        _ name: String = "ann", from address: String = "192.0.2.1", _ familiarity: NetworkFamiliarity = .none,
        session: String? = nil
    ) throws -> LoginRateLimit.Requester {
        LoginRateLimit.Requester(
            email: try #require(EmailAddress(parsing: "\(name)@example.com")), network: NetworkAddress(of: address),
            familiarity: familiarity, session: session.map { SessionID($0) })
    }

    private func admit(_ limit: LoginRateLimit, _ requester: LoginRateLimit.Requester) async throws -> LoginAnswer {
        let estimate = limit.estimate(requester, at: time.uptime)
        let answers = try await SharedAllowances(store).charge(estimate.receipts)
        return limit.settle(estimate, answers, at: time.uptime)
    }

    /// The number of tries that are admitted when the instances get them in turn.
    private func looks(
        _ tries: Int = 100, on instances: [LoginRateLimit]? = nil,
        _ requester: (Int) throws -> LoginRateLimit.Requester
    ) async throws -> Int {
        var count = 0
        for index in 0..<tries {
            let limit = (instances ?? self.instances)[index % (instances ?? self.instances).count]
            if case .admitted = try await admit(limit, requester(index)) { count += 1 }
        }
        return count
    }

    @Test(
        "three instances together admit as many guesses as one", arguments: ["network", "account", "known", "session"])
    func together(_ kind: String) async throws {
        let count = try await looks { index in
            switch kind {
            case "network": try requester("user\(index)")
            case "account": try requester(from: "2001:db8:\(index)::1")
            case "known": try requester("ann", .own)
            default: try requester(session: "s1")
            }
        }
        #expect(count == perMinute, "\(kind)")
        time.advance(.seconds(12))
        #expect(
            try await looks { _ in
                kind == "session" ? try requester(session: "s1") : try requester("ann", kind == "known" ? .own : .none)
            } == 1)
    }

    @Test("guesses at other instances lock the owner out neither in a known network nor with a session")
    func owner() async throws {
        _ = try await looks { try requester("user\($0)") }
        _ = try await looks { try requester(from: "198.51.\($0).1") }
        #expect(try await looks { _ in try requester() } == 0)
        #expect(try await looks(9, on: [instances[2]]) { _ in try requester("ann", .own) } == perMinute)
        #expect(try await looks(9, on: [instances[1]]) { _ in try requester("ann", .own) } == 0)
        #expect(try await looks(9, on: [instances[1]]) { _ in try requester(session: "s1") } == perMinute)
    }

    @Test("neither the responses of any instance nor their time reveal who is known")
    func hidden() async throws {
        func answers(_ name: String, _ familiarity: NetworkFamiliarity) async throws -> [String] {
            let world = Self()
            _ = try await world.looks(4) { try world.requester("user\($0)") }
            var answers: [String] = []
            for index in 0..<60 {
                let before = world.store.calls
                let answer =
                    switch try await world.admit(world.instances[index % 3], world.requester(name, familiarity)) {
                    case .refused(let refusal, let looksVerified): "\(refusal.denial), \(looksVerified)"
                    case .admitted(let admission): "\(admission.refusal?.denial ?? .invalidCredentials), true"
                    }
                answers.append("\(answer), \(world.store.calls - before) calls")
                world.time.advance(Span(milliseconds: 200))
            }
            return answers
        }
        let known = try await answers("ann", .own)
        #expect(try await answers("ann", .others) == known)
        #expect(Set(known.map { $0.hasPrefix("invalidCredentials") }).count == 2)
        #expect(Set(known.map { $0.contains("true") }).count == 2)
        #expect(Set(known.map { $0.hasSuffix("0 calls") }).count == 2)
    }

    @Test("of what the store has refused an instance asks it no more until a try may fit there")
    func cheap() async throws {
        #expect(try await looks(perMinute, on: [instances[0]]) { try requester("user\($0)") } == perMinute)
        let before = store.calls
        #expect(try await looks(100, on: [instances[1]]) { try requester("other\($0)") } == 0)
        #expect(store.calls == before + 1)
        time.advance(.seconds(12))
        #expect(try await looks(1, on: [instances[0]]) { _ in try requester("user") } == 1)
        #expect(try await looks(100, on: [instances[1]]) { try requester("other\($0)") } == 0)
        #expect(store.calls == before + 3)
    }

    @Test("what the store refuses costs the other allowances nothing, in the process neither")
    func noneTaken() async throws {
        _ = try await looks(perMinute, on: [instances[0]]) { try requester("user\($0)") }
        for _ in 0..<20 {
            #expect(try await looks(2, on: [instances[1]]) { _ in try requester("ann") } == 0)
        }
        #expect(try await looks(on: [instances[1]]) { try requester("ann", from: "198.51.\($0).1") } == perMinute)
    }

    @Test("a restart restores no allowance")
    func restart() async throws {
        for _ in 0..<3 { _ = try await looks(3, on: [LoginRateLimit(perMinute: 5)]) { _ in try requester() } }
        #expect(try await looks(on: [LoginRateLimit(perMinute: 5)]) { _ in try requester() } == 0)
    }

    @Test("a right password takes nothing, whichever instances check it")
    func givenBack() async throws {
        for index in 0..<40 {
            let requester = try requester("ann", index % 2 == 0 ? .own : .none)
            guard case .admitted(let admission) = try await admit(instances[index % 3], requester) else {
                return #expect(Bool(false), "refused")
            }
            instances[index % 3].giveBack(admission, at: time.uptime)
            await SharedAllowances(store).giveBack(admission.shared)
        }
    }

    @Test("refusals in a known network fill a bounded number of rows")
    func rows() async throws {
        _ = try await looks(perMinute) { try requester("user\($0)") }
        let before = store.names.count
        _ = try await looks(20_000) { try requester("other\($0)", .others) }
        // Each instance learns by one try that the network's allowance is spent.
        #expect(store.names.count - before <= 4096 + 2 * 3)
    }

    @Test("the store sees digests")
    func digests() async throws {
        _ = try await looks(3) { try requester("user\($0)", .own) }
        #expect(store.names.allSatisfy { $0.count == 32 } && store.names.count == 2 + 3 + 3)
    }
}

/// Services of several processes on one store.
@Suite struct SharedLimitTests {
    private struct Shared: StoreWrapper {
        let inner: any Store
        let sharedAllowances: (any AllowanceStore)?
    }

    private let memory = InMemoryStore()
    private let allowances: Observed
    private let worlds: [ServiceWorld]

    init() throws {
        let (memory, time) = (memory, TestEnvironment())
        let allowances = Observed(time)
        self.allowances = allowances
        worlds = try (0..<3).map { _ in
            try ServiceWorld(failedLoginsPerMinute: 3, signUpsPerHour: 4, queueLimit: 200) { _ in
                Shared(inner: memory, sharedAllowances: allowances)
            }
        }
    }

    private func events(_ kind: SecurityEvent.Kind) -> [SecurityEvent] { memory.events.filter { $0.kind == kind } }

    private func guess(
        _ world: ServiceWorld, _ name: String = "ann", from address: String = "192.0.2.1"
    ) async -> String? {
        await denial { try await world.logIn(world.login(name, password: "a wrong guess", from: address)) }?.code
    }

    @Test("of a hundred guesses that three instances get at once, as many are verified as one would verify")
    func parallel() async throws {
        try await worlds[0].signUp(from: "203.0.113.1")
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<100 { group.addTask { _ = await guess(worlds[index % 3]) } }
        }
        #expect(events(.loginFailed).count == 3)
        #expect(await guess(worlds[1], "bob") == "rate_limited")
        // Its owner, from the network of the sign-up.
        #expect(try await worlds[2].logIn(worlds[2].login(from: "203.0.113.1")).session.subject.isOfAccount)
    }

    @Test("sign-ups are counted over all instances, and what failed before it showed anything is not")
    func signUps() async throws {
        for (index, world) in (worlds + worlds).enumerated() {
            let refused = await denial { try await world.signUp("user\(index)") }
            #expect(refused == (index < 4 ? nil : Denial.rateLimited(retryAfter: .minutes(15))))
        }
        _ = try await worlds[0].signUp("other", from: "198.51.100.1")
    }

    @Test("each instance records the refusals that it gave, with their number and whose allowance was spent")
    func recorded() async throws {
        for index in 0..<3 { #expect(await guess(worlds[0], from: "198.51.100.\(index)") == "invalid_credentials") }
        for index in 0..<10 { #expect(await guess(worlds[1], from: "203.0.113.\(index)") == "rate_limited") }
        #expect(events(.loginRateLimited).map(\.details) == [.init(payer: .account, count: 1)])
        worlds[1].time.advance(.minutes(1))
        await worlds[1].accounts.recordDueRefusals()
        #expect(
            events(.loginRateLimited).map(\.details)
                == [.init(payer: .account, count: 1), .init(payer: .account, count: 9)])
    }

    @Test("a try that the store cannot charge is not verified, fails, and is not counted")
    func unreachable() async throws {
        try await worlds[0].signUp(from: "203.0.113.1")
        allowances.set(isReachable: false)
        for _ in 0..<10 {
            await #expect(throws: Observed.Unreachable.self) {
                try await worlds[0].logIn(worlds[0].login(password: "a wrong guess"))
            }
            await #expect(throws: Observed.Unreachable.self) { try await worlds[0].signUp("bob") }
        }
        #expect(events(.loginFailed).isEmpty)
        allowances.set(isReachable: true)
        for _ in 0..<3 { #expect(await guess(worlds[0]) == "invalid_credentials") }
        _ = try await worlds[0].signUp("bob")
    }

    @Test("a try for which the hashing threads have no room is not charged")
    func busy() async throws {
        let (memory, allowances) = (memory, allowances)
        let world = try ServiceWorld(failedLoginsPerMinute: 3, signUpsPerHour: 4, queueLimit: 0) { _ in
            Shared(inner: memory, sharedAllowances: allowances)
        }
        for _ in 0..<10 { #expect(await guess(world) == "unavailable") }
        #expect(await denial { try await world.signUp() }?.code == "unavailable")
        #expect(allowances.calls == 0)
    }

    @Test("right passwords take nothing, and renewals ask for nothing")
    func free() async throws {
        let grant = try await worlds[0].signUp()
        for index in 0..<12 { _ = try await worlds[index % 3].logIn(worlds[index % 3].login()) }
        let before = allowances.calls
        _ = try await worlds[0].sessions.refresh(worlds[0].token(grant), presenting: nil, from: .cookie)
        #expect(allowances.calls == before)
    }

    @Test("without a limit the store is not asked")
    func off() async throws {
        let (memory, allowances) = (memory, allowances)
        let world = try ServiceWorld { _ in Shared(inner: memory, sharedAllowances: allowances) }
        try await world.signUp()
        _ = await guess(world)
        #expect(allowances.calls == 0)
    }
}
