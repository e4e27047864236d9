import CloakroomCore
import Testing

@testable import CloakroomAccounts
@testable import CloakroomStores

@Suite struct AllowanceSketchTests {
    private let start = Duration.seconds(1000)

    private func charge(_ name: String, _ tries: Double = 2) -> AllowanceSketch.Charge {
        AllowanceSketch.Charge(name, of: tries)
    }

    private func wait(_ result: Result<AllowanceSketch.Receipt, AllowanceShortage>) -> Double? {
        guard case .failure(let shortage) = result else { return nil }
        let (seconds, attoseconds) = shortage.wait.components
        return (Double(seconds) + Double(attoseconds) / 1e18).rounded()
    }

    @Test("tries are used up, come back with time, and can be given back")
    func allowance() throws {
        let sketch = AllowanceSketch(interval: .seconds(60))
        let receipt = try sketch.take([charge("a")], at: start).get()
        #expect(wait(sketch.take([charge("a")], at: start)) == nil)
        #expect(wait(sketch.take([charge("a")], at: start)) == 30)
        sketch.giveBack(receipt, at: start)
        #expect(wait(sketch.take([charge("a")], at: start)) == nil)
        #expect(wait(sketch.take([charge("a")], at: start + .seconds(29))) == 1)
        #expect(wait(sketch.take([charge("a")], at: start + .seconds(30))) == nil)
        #expect(wait(sketch.take([charge("b")], at: start)) == nil)
    }

    @Test("a try takes from all allowances or from none, and a refusal names the one that lacks most")
    func together() throws {
        let sketch = AllowanceSketch(interval: .seconds(60))
        _ = try sketch.take([charge("a", 1)], at: start).get()
        guard case .failure(let shortage) = sketch.take([charge("b", 1), charge("a", 1)], at: start) else {
            return #expect(Bool(false), "the allowance was taken")
        }
        #expect(shortage.index == 1)
        _ = try sketch.take([charge("b", 1)], at: start).get()
    }

    @Test("an allowance that was restored by time is not given back a second time")
    func late() throws {
        let sketch = AllowanceSketch(interval: .seconds(60), width: 1)
        let receipt = try sketch.take([charge("a", 1)], at: start).get()
        let later = start + .seconds(60)
        _ = try sketch.take([charge("b", 1)], at: later).get()
        sketch.giveBack(receipt, at: later)
        #expect(wait(sketch.take([charge("b", 1)], at: later)) == 60)
    }

    @Test("a clock that goes back restores no allowance")
    func backwards() throws {
        let sketch = AllowanceSketch(interval: .seconds(60))
        _ = try sketch.take([charge("a", 1)], at: start).get()
        #expect(wait(sketch.take([charge("a", 1)], at: start - .seconds(90))) == 60)
    }

    @Test("what the store refuses is given back, and the spent allowance is refused until a try fits there")
    func refused() throws {
        let sketch = AllowanceSketch(interval: .seconds(60))
        let receipt = try sketch.take([charge("a"), charge("b")], at: start).get()
        sketch.giveBack(receipt, refused: AllowanceShortage(index: 1, wait: .seconds(10)), at: start)
        #expect(wait(sketch.take([charge("b")], at: start)) == 10)
        #expect(wait(sketch.take([charge("b")], at: start + .seconds(9))) == 1)
        #expect(wait(sketch.take([charge("b")], at: start + .seconds(10))) == nil)
        for _ in 0..<2 { #expect(wait(sketch.take([charge("a")], at: start)) == nil) }
        #expect(wait(sketch.take([charge("a")], at: start)) == 30)
    }

    @Test("a flood of names restores no spent allowance, and uses up that of few others")
    func flood() throws {
        let sketch = AllowanceSketch(interval: .seconds(60))
        _ = try sketch.take([charge("victim", 1)], at: start).get()
        for index in 0..<60_000 { _ = sketch.take([charge("flood \(index)", 20)], at: start) }
        #expect(wait(sketch.take([charge("victim", 1)], at: start)) != nil)
        let innocent = (0..<1000).filter { index in
            guard case .success = sketch.take([charge("innocent \(index)", 20)], at: start) else { return false }
            return true
        }
        #expect(innocent.count > 990)
    }
}

@Suite struct LoginRateLimitTests {
    private let start = Duration.seconds(1000)
    private let perMinute = 5

    private func requester(
        _ name: String = "ann", from address: String = "192.0.2.1", _ familiarity: NetworkFamiliarity = .none,
        session: String? = nil
    ) throws -> LoginRateLimit.Requester {
        LoginRateLimit.Requester(
            email: try #require(EmailAddress(parsing: "\(name)@example.com")), network: NetworkAddress(of: address),
            familiarity: familiarity, session: session.map { SessionID($0) })
    }

    /// The answer of one process with a store of its own.
    private func admit(
        _ limit: LoginRateLimit, _ requester: LoginRateLimit.Requester, at uptime: Duration? = nil
    ) -> LoginAnswer {
        let estimate = limit.estimate(requester, at: uptime ?? start)
        let answers = estimate.receipts.map { _ in
            SharedAllowances.Answer.success(AllowanceReceipt(charges: [], time: .zero))
        }
        return limit.settle(estimate, answers, at: uptime ?? start)
    }

    /// The number of tries that the limit admits.
    private func looks(
        _ limit: LoginRateLimit, _ tries: Int = 100, _ requester: (Int) throws -> LoginRateLimit.Requester
    ) throws -> Int {
        try (0..<tries).filter { index in
            guard case .admitted = admit(limit, try requester(index)) else { return false }
            return true
        }.count
    }

    @Test("strangers in a network share its allowance, for all accounts that they try")
    func network() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        #expect(try looks(limit) { try requester("user\($0)") } == perMinute)
    }

    @Test("strangers to an account share its allowance, from all networks")
    func account() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        #expect(try looks(limit) { try requester(from: "2001:db8:\($0)::1") } == perMinute)
    }

    @Test(
        "failed logins of neighbours do not block an owner in a known network; tries for each account are limited there"
    )
    func known() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        _ = try looks(limit) { try requester("user\($0)") }
        #expect(try looks(limit) { _ in try requester("ann", .own) } == perMinute)
        #expect(try looks(limit) { _ in try requester("bob", .own) } == perMinute)
        #expect(try looks(limit) { _ in try requester("carl") } == 0)
    }

    @Test("neither the responses to wrong passwords nor their time reveal who is known")
    func hidden() throws {
        func answers(_ familiarity: NetworkFamiliarity) throws -> [String] {
            let limit = LoginRateLimit(perMinute: perMinute)
            _ = try looks(limit, 3) { try requester("user\($0)") }
            return try (0..<30).map { index in
                switch admit(limit, try requester("ann", familiarity), at: start + .seconds(index)) {
                case .refused(let refusal, let looksVerified): "\(refusal.denial), \(looksVerified)"
                case .admitted(let admission): "\(admission.refusal?.denial ?? .invalidCredentials), true"
                }
            }
        }
        let known = try answers(.own)
        #expect(try answers(.others) == known)
        #expect(Set(known.map { $0.hasPrefix("invalidCredentials") }).count == 2)
        #expect(Set(known.map { $0.hasSuffix("true") }).count == 2)
    }

    @Test("in a network without known accounts refusals are immediate")
    func unknown() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        _ = try looks(limit) { try requester("user\($0)") }
        guard case .refused(_, looksVerified: false) = admit(limit, try requester()) else {
            return #expect(Bool(false), "the password was verified, or the response pretends so")
        }
    }

    @Test("a flood of refusals in a known network does not use up the owner's allowance there")
    func refusals() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        for index in 0..<200_000 { _ = admit(limit, try requester("user\(index)", .others)) }
        #expect(try looks(limit) { _ in try requester("ann", .own) } == perMinute)
    }

    @Test("each session has an allowance, and the sessions of an account have three together")
    func holders() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        _ = try looks(limit) { _ in try requester("ann", .own) }
        #expect(try looks(limit) { _ in try requester(session: "s1") } == perMinute)
        #expect(try looks(limit) { try requester(session: "s\($0)") } == 2 * perMinute)
    }

    @Test("an attacker with a provider's whole block of networks gets only a few of their allowances")
    func block() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        let looks = try looks(limit, 2000) { index in
            try requester("user\(index)", from: "2001:db8:7:\(String(index, radix: 16))::1")
        }
        #expect(looks == 16 * perMinute)
    }

    @Test("sixty thousand tries from as many networks do not restore the allowance of a victim's account")
    func flood() throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        _ = try looks(limit) { _ in try requester("victim", from: "198.51.100.1") }
        for index in 0..<60_000 {
            let address = "20\(String(index % 251, radix: 16)):\(String(index, radix: 16))::1"
            _ = admit(limit, try requester("user\(index)", from: address))
        }
        #expect(try looks(limit) { try requester("victim", from: "2001:db8:\($0)::1") } == 0)
    }

    @Test("an allowance that is given back counts as never taken")
    func givenBack() throws {
        let limit = LoginRateLimit(perMinute: 1)
        for requester in [try requester(), try requester("ann", .own), try requester(session: "s")] {
            for _ in 0..<3 {
                guard case .admitted(let admission) = admit(limit, requester) else {
                    return #expect(Bool(false), "refused")
                }
                limit.giveBack(admission, at: start)
            }
        }
    }

    @Test("a limit of zero or less counts as one, and off is no limit", arguments: [0, -1, Int.min, nil])
    func absurd(_ perMinute: Int?) throws {
        let limit = LoginRateLimit(perMinute: perMinute)
        #expect(try looks(limit) { _ in try requester() } == (perMinute == nil ? 100 : 1))
    }
}

@Suite struct RefusalTallyTests {
    private let start = Duration.seconds(1000)

    private func event() -> SecurityEvent {
        SecurityEvent(
            .loginRateLimited, at: Instant(milliseconds: 1), subject: Subject("u"), address: "192.0.2.1")
    }

    private func account(_ name: String) throws -> Refusal.Payer {
        .account(try #require(EmailAddress(parsing: "\(name)@example.com")))
    }

    @Test("the first refusal is recorded at once, the others once a minute with their number")
    func sampled() throws {
        let tally = RefusalTally()
        #expect(tally.count(event(), of: try account("a"), at: start)?.details == .init(payer: .account, count: 1))
        for second in 0..<59 {
            #expect(tally.count(event(), of: try account("a"), at: start + .seconds(second)) == nil)
        }
        #expect(
            tally.count(event(), of: .network(NetworkAddress(of: "")), at: start)?.details
                == .init(payer: .network, count: 1))
        #expect(tally.due(at: start + .seconds(59)).isEmpty)
        #expect(tally.due(at: start + .seconds(60)).map(\.details) == [.init(payer: .account, count: 59)])
        #expect(tally.due(at: start + .seconds(200)).isEmpty)
        #expect(
            tally.count(event(), of: try account("a"), at: start + .seconds(200))?.details
                == .init(payer: .account, count: 1))
    }

    @Test("at the end of the process, refusals of the last minute are recorded too")
    func end() throws {
        let tally = RefusalTally()
        for name in ["a", "b", "b", "b"] { _ = tally.count(event(), of: try account(name), at: start) }
        #expect(tally.rest().map(\.details) == [.init(payer: .account, count: 2)])
        #expect(tally.rest().isEmpty)
    }

    @Test("refusals beyond the capacity are counted together")
    func many() throws {
        let tally = RefusalTally(capacity: 3)
        let events = try (0..<100).compactMap { tally.count(event(), of: try account("a\($0)"), at: start) }
        #expect(events.map(\.details.count) == [1, 1, 1, 1])
        #expect(events.map(\.details.payer) == [.account, .account, .account, .others])
        #expect(events.last?.subject == nil && events.last?.address == nil)
        #expect(tally.due(at: start + .seconds(60)).map(\.details) == [.init(payer: .others, count: 96)])
    }
}
