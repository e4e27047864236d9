import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Logging
import Synchronization
import Testing

@testable import CloakroomAccounts
@testable import CloakroomSessions
@testable import CloakroomStores

/// One login, for tables.
private struct Try {
    var name = "ann"
    var isRight = false
    var address = "192.0.2.1"
}

extension ServiceWorld {
    /// - Returns: the code of the denial; nil when the login succeeded.
    fileprivate func attempt(_ attempt: Try, holding token: RefreshToken? = nil) async throws -> String? {
        let login = try login(
            attempt.name, password: attempt.isRight ? Self.password : "a wrong guess", from: attempt.address,
            replacing: token)
        return await denial { try await logIn(login) }?.code
    }

    /// The codes of the denials of `count` wrong passwords.
    fileprivate func mistakes(
        _ count: Int, _ name: String = "ann", from address: String = "192.0.2.1", holding token: RefreshToken? = nil
    ) async throws -> [String?] {
        var codes: [String?] = []
        for _ in 0..<count { codes.append(try await attempt(Try(name: name, address: address), holding: token)) }
        return codes
    }
}

@Suite struct LoginLimitTests {
    private static let limit = 3
    private static let used = Array(repeating: "invalid_credentials", count: limit)

    private func world(_ kind: StoreKind = .inMemory, queueLimit: Int = 64) throws -> ServiceWorld {
        try ServiceWorld(kind, failedLoginsPerMinute: Self.limit, queueLimit: queueLimit)
    }

    @Test("strangers use up an account's tries; its owner logs in from a known network; a minute later tries are back")
    func account() async throws {
        let world = try world()
        try await world.signUp()
        for index in 0..<Self.limit {
            #expect(try await world.mistakes(1, from: "198.51.100.\(index)") == ["invalid_credentials"])
        }
        let stranger = Try(isRight: true, address: "198.51.100.9")
        #expect(try await world.attempt(stranger) == "rate_limited")
        #expect(try await world.attempt(Try(isRight: true)) == nil)
        world.time.advance(.minutes(1))
        #expect(try await world.attempt(stranger) == nil)
    }

    @Test("Retry-After says when the next try is allowed, by the monotonic clock")
    func retryAfter() async throws {
        let world = try world()
        _ = try await world.mistakes(Self.limit)
        world.time.step(.days(400))
        #expect(
            await denial { try await world.logIn(world.login()) } == .rateLimited(retryAfter: .seconds(20)))
        world.time.step(.days(-800))
        world.time.advance(.seconds(20))
        #expect(try await world.mistakes(2) == ["invalid_credentials", "rate_limited"])
    }

    @Test("failed logins of neighbours do not block a known account in a known network", arguments: StoreKind.allCases)
    func neighbours(_ kind: StoreKind) async throws {
        let world = try world(kind)
        try await world.signUp()
        for index in 0..<20 { _ = try await world.mistakes(1, "neighbour\(index)") }
        #expect(try await world.mistakes(1, "stranger") == ["rate_limited"])
        #expect(try await world.attempt(Try(isRight: true)) == nil)
        #expect(
            try await world.mistakes(1) == ["rate_limited"],
            "the same as for an account that is unknown in this network")
        #expect(try await world.attempt(Try(isRight: true)) == nil)
    }

    @Test("a neighbour gets a limited number of guesses at a known account, correct ones included")
    func guesses() async throws {
        let world = try world()
        try await world.signUp()
        _ = try await world.mistakes(Self.limit, "stranger")
        _ = try await world.mistakes(Self.limit)
        #expect(try await world.attempt(Try(isRight: true)) == "rate_limited")
        world.time.advance(.seconds(20))
        #expect(try await world.attempt(Try(isRight: true)) == nil)
    }

    @Test("known networks outlive sessions and logouts", arguments: StoreKind.allCases)
    func remembered(_ kind: StoreKind) async throws {
        let world = try world(kind)
        let grant = try await world.signUp()
        _ = try await world.sessions.logout(.refresh(world.token(grant)))
        for index in 0..<Self.limit { _ = try await world.mistakes(1, from: "198.51.100.\(index)") }
        #expect(try await world.attempt(Try(isRight: true, address: "198.51.100.9")) == "rate_limited")
        #expect(try await world.attempt(Try(isRight: true)) == nil)
    }

    @Test("the cookie of a live session has its own allowance; an ended or spent one, or another account's, has none")
    func cookies() async throws {
        for state in ["living", "revoked", "expired", "spent", "another's"] {
            let world = try ServiceWorld(
                policy: SessionPolicy(idleLifetime: .days(1)), failedLoginsPerMinute: Self.limit)
            let grant = try await world.signUp()
            var token = try world.token(grant)
            switch state {
            case "revoked": _ = try await world.sessions.logout(.refresh(token))
            case "expired": world.time.advance(.days(2))
            case "spent":
                for _ in 0..<2 {
                    let grant = try await world.sessions.refresh(token, presenting: nil, from: .cookie)
                    let next = try world.token(grant)
                    _ = try await world.sessions.refresh(next, presenting: nil, from: .cookie)
                    world.time.advance(.minutes(1))
                    token = next
                }
                token = try world.token(grant)
            case "another's": token = try world.token(await world.signUp("bob"))
            default: break
            }
            _ = try await world.mistakes(Self.limit)
            let expected = state == "living" ? Self.used : Array(repeating: "rate_limited", count: Self.limit)
            #expect(try await world.mistakes(Self.limit, holding: token) == expected, "\(state)")
            #expect(try await world.mistakes(1, holding: token) == ["rate_limited"], "\(state)")
        }
    }

    @Test("the sessions of one account have three allowances together")
    func manySessions() async throws {
        let world = try world()
        var tokens = [try world.token(await world.signUp())]
        for _ in 0..<9 { tokens.append(try world.token(await world.logIn(world.login()))) }
        var codes: [String?] = []
        for token in tokens { codes += try await world.mistakes(Self.limit, holding: token) }
        #expect(codes.count { $0 == "invalid_credentials" } == 3 * Self.limit)
    }

    @Test("of a hundred concurrent guesses only as many are verified as the allowance permits")
    func parallel() async throws {
        let world = try world(queueLimit: 200)
        try await world.signUp()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { _ = try? await world.mistakes(1) } }
        }
        #expect(try world.events(.loginFailed) == Self.limit)
    }

    @Test("correct passwords and tries that were not verified use up no allowance")
    func free() async throws {
        let world = try world()
        try await world.signUp()
        for _ in 0..<10 { #expect(try await world.attempt(Try(isRight: true)) == nil) }
        let busy = try self.world(queueLimit: 0)
        for _ in 0..<10 { #expect(try await busy.mistakes(1) == ["unavailable"]) }
    }

    @Test("known and unknown accounts get the same responses after any earlier tries", arguments: [0, 3, 9])
    func sameAnswers(_ before: Int) async throws {
        let world = try world()
        try await world.signUp(from: "203.0.113.1")
        _ = try await world.mistakes(before, "stranger")
        let known = try await world.mistakes(6)
        let other = try self.world()
        _ = try await other.mistakes(before, "stranger")
        #expect(try await other.mistakes(6, "nobody") == known)
    }

    @Test(
        "refusals are recorded once a minute for each account or network, with their number, for unknown accounts too")
    func recorded() async throws {
        for name in ["ann", "nobody"] {
            let world = try world()
            let grant = try await world.signUp()
            for index in 0..<10 { _ = try await world.mistakes(1, name, from: "198.51.100.\(index)") }
            let events = try world.events.filter { $0.kind == .loginRateLimited }
            #expect(events.map(\.details) == [.init(payer: .account, count: 1)])
            #expect(events.first?.subject == (name == "ann" ? grant.session.subject : nil))
            world.time.advance(.minutes(1))
            await world.accounts.recordDueRefusals()
            #expect(
                try world.events.filter { $0.kind == .loginRateLimited }.map(\.details)
                    == [.init(payer: .account, count: 1), .init(payer: .account, count: 6)])
            #expect(world.log.lines.filter { $0.contains("login_rate_limited") }.count == 2)
        }
    }

    @Test("refusals of several accounts are recorded in a transaction each")
    func recordedApart() async throws {
        let records = Records()
        let world = try ServiceWorld(failedLoginsPerMinute: 1) { RecordingStore(inner: $0, records: records) }
        for (number, name) in ["ann", "bob"].enumerated() {
            _ = try await world.mistakes(4, name, from: "198.51.100.\(number)")
        }
        world.time.advance(.minutes(1))
        await world.accounts.recordDueRefusals()
        #expect(records.counts.withLock { $0 } == [1, 1, 1, 1], "the first refusal of each, and the others")
    }

    @Test("failed logins log at most ten lines a second, and the number of omitted ones")
    func lines() {
        let (time, captured) = (TestEnvironment(), CapturedLog())
        let log = SecurityLog(logger: .init(label: "t") { _ in captured }, uptime: time.environment.uptime)
        let event = SecurityEvent(.loginFailed, at: time.now)
        log.write(Array(repeating: event, count: 1000))
        #expect(captured.lines.count == SecurityLog.linesPerSecond)
        time.advance(.seconds(1))
        log.write([event, event])
        #expect(captured.lines.count == SecurityLog.linesPerSecond + 2)
        #expect(captured.lines[SecurityLog.linesPerSecond].contains("omitted\": 990"))
        log.write(Array(repeating: SecurityEvent(.revocation, at: time.now), count: 100))
        #expect(captured.lines.count == SecurityLog.linesPerSecond + 102, "events of a session are never omitted")
    }
}

/// The number of events in each call.
private final class Records: Sendable {
    let counts = Mutex<[Int]>([])
}

private struct RecordingStore: StoreWrapper {
    let inner: any Store
    let records: Records

    func record(_ events: [SecurityEvent]) async throws -> Committed<Void> {
        if events.contains(where: { $0.kind == .loginRateLimited }) {
            records.counts.withLock { $0.append(events.count) }
        }
        return try await inner.record(events)
    }
}

@Suite struct SignUpLimitTests {
    @Test("sign-ups are limited for each hour and network, also if the address is taken")
    func limited() async throws {
        let world = try ServiceWorld(signUpsPerHour: 3)
        try await world.signUp("a")
        for _ in 0..<2 { #expect(await denial { try await world.signUp("a") } == .accountExists) }
        for name in ["a", "b"] {
            #expect(await denial { try await world.signUp(name) } == .rateLimited(retryAfter: .minutes(20)))
        }
        _ = try await world.signUp("b", from: "198.51.100.1")
        world.time.advance(.minutes(20))
        _ = try await world.signUp("c")
        #expect(
            try world.events.filter { $0.kind == .signUpRateLimited }.map(\.details)
                == [.init(payer: .network, count: 1)])
        _ = try await world.logIn(world.login("a"))
    }

    @Test("a refused password or a busy server does not count as a sign-up")
    func free() async throws {
        let world = try ServiceWorld(signUpsPerHour: 1)
        for _ in 0..<3 {
            let refused = await denial { try await world.signUp(world.login(password: "password1")) }
            #expect(refused?.code == "invalid_request")
        }
        _ = try await world.signUp()
        let busy = try ServiceWorld(signUpsPerHour: 1, queueLimit: 0)
        for _ in 0..<3 { #expect(await denial { try await busy.signUp() }?.code == "unavailable") }
    }
}
