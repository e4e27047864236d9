import Testing

@testable import CloakroomCore

@Suite struct HandOverTests {
    private static func origin(_ host: String) throws -> WebOrigin {
        try #require(WebOrigin(parsing: "https://\(host)"))
    }

    @Test(
        "a code is redeemed at its host, with the flow cookie of its browser",
        arguments: [
            ("shop.example.com", [7, 7], nil), ("app.example.com", [7, 7], .otherHost),
            ("shop.example.com:8443", [7, 7], .otherHost), ("shop.example.com", [7, 8], .otherBrowser),
            ("shop.example.com", [7], .otherBrowser), ("shop.example.com", [], .otherBrowser),
            ("shop.example.com", nil, .otherBrowser), ("app.example.com", nil, .otherHost),
        ] as [(String, [UInt8]?, HandOver.Refusal?)])
    func redeemed(_ host: String, _ flow: [UInt8]?, _ refusal: HandOver.Refusal?) throws {
        let handOver = HandOver(
            parent: SessionID("p"), host: try Self.origin("shop.example.com"), flow: [7, 7], startedAt: .example,
            returnTo: "/", evidence: Evidence(.password, at: .example), point: Self.point(), sent: nil)
        #expect(handOver.refusal(at: try Self.origin(host), flow: flow, holding: nil, at: .example) == refusal)
    }

    @Test(
        "a start ends after ten minutes, and with the next session that the browser gets at the host",
        arguments: [
            (599, nil, true), (600, nil, false), (9, 0, true), (9, -1, true), (9, 1, false),
        ] as [(Int64, heldSince: Int64?, Bool)])
    func start(_ seconds: Int64, _ heldSince: Int64?, _ isGood: Bool) throws {
        let shop = try Self.origin("shop.example.com")
        let handOver = HandOver(
            parent: SessionID("p"), host: shop, flow: [7], startedAt: .example, returnTo: "/",
            evidence: Evidence(.password, at: .example), point: Self.point(), sent: nil)
        let held = heldSince.map { Session.example(at: .example + .seconds($0)) }
        let refusal = handOver.refusal(at: shop, flow: [7], holding: held, at: .example + .seconds(seconds))
        #expect(refusal == (isGood ? nil : .otherBrowser))
    }

    @Test(
        "a session of the host makes a hand-over needless if it has the same parent and is as fresh and as strong",
        arguments: [
            ("p", 0, .singleFactor, true), ("p", 1, .singleFactor, true), ("p", -1, .singleFactor, false),
            ("q", 0, .singleFactor, false), (nil, 0, .singleFactor, false), ("p", 0, .multiFactor, false),
        ] as [(String?, Int64, AuthenticationLevel, Bool)])
    func satisfied(_ parent: String?, _ age: Int64, _ level: AuthenticationLevel, _ isSatisfied: Bool) throws {
        let handOver = HandOver(
            parent: SessionID("p"), host: try Self.origin("shop.example.com"), flow: [], startedAt: .example,
            returnTo: "/",
            evidence: Evidence(asserting: ["pwd"], level: level, at: .example), point: Self.point(), sent: nil)
        var session = Session.example(at: .example + .seconds(age))
        session.details.handedOver = parent.map {
            HandedOver(parent: SessionID($0), host: "shop.example.com", point: Self.point())
        }
        #expect(handOver.isSatisfied(by: session) == isSatisfied)
    }

    static let decisions: [(Condition, isReissued: Bool, presented: Int, RefreshAnswer, becomes: Int)] = [
        (.pending, false, 5, .rotated, 6), (.handedOutNow, false, 5, .rotated, 6), (.windowOpen, false, 5, .rotated, 6),
        (.windowClosed, false, 5, .rotated, 6), (.windowClosed, true, 5, .rotated, 6),
        (.neverOpened, false, 5, .rotated, 6), (.pending, true, 5, .served, 5), (.windowOpen, true, 5, .served, 5),
        (.handedOutNow, false, 4, .served, 5), (.pending, false, 4, .reissued, 5),
        (.windowOpen, false, 4, .straggler, 5),
        (.windowClosed, false, 4, .reused, 5), (.neverOpened, false, 4, .reused, 5), (.pending, false, 3, .reused, 5),
        (.windowOpen, false, 3, .reused, 5), (.windowClosed, false, 0, .reused, 5),
        (.windowClosed, false, 6, .adopted, 6),
    ]

    @Test(
        "a code is decided as a renewal is, and the current generation rotates inside the window too",
        arguments: decisions)
    func decided(
        _ condition: Condition, _ isReissued: Bool, _ presented: Int, _ answer: RefreshAnswer, _ generation: Int
    ) {
        var session = condition.session
        session.isReissued = isReissued
        #expect(session.handOver(presented) == answer)
        #expect(session.generation == generation)
        #expect((session.revocation != nil) == (answer == .reused))
        #expect(session.handOverPoint(after: answer).isProvisional == (answer != .rotated))
        #expect(session.generationSent(with: answer) == (answer == .rotated || answer == .reissued ? generation : nil))
    }

    @Test("a session that has ended makes no code")
    func endedParent() {
        var session = Session.example()
        session.revoke(.logout, at: .example)
        #expect(session.handOver(0) == .denied(.sessionRevoked))
    }

    @Test(
        "a client that presents the generation before the current one ends the session that came with the current one")
    func copied() {
        var parent = Session.example()
        let child = Self.child(of: &parent, presenting: 0)
        #expect(parent.generation == 1 && parent.admits(child))
        let later = Instant.example + .seconds(3)
        #expect(Self.supersedes(&parent, child) { _ = $0.refresh(0, at: .example + .seconds(1)) } == false)
        #expect(Self.supersedes(&parent, child) { _ = $0.refresh(0, at: later) } == true, "the response went to a copy")
        #expect(!parent.admits(child))
        let second = Self.child(of: &parent, presenting: 0, at: later + .seconds(3))
        #expect(parent.admits(second) && !parent.supersedes(second), "the client got the current generation again")
        #expect(
            Self.supersedes(&parent, second) {
                for minutes in 1...2 as ClosedRange<Int64> { _ = $0.refresh(1, at: later + .minutes(minutes)) }
            } == true)
    }

    @Test("a copy that asks for codes again and again is found out one window after its first use")
    func codesInARow() {
        var parent = Condition.windowClosed.session
        for step in 0..<3 { #expect(parent.handOver(5 + step, at: .example + .seconds(Int64(step * 20))) == .rotated) }
        // The second code confirmed generation 6 at second 20, and the third one generation 7 at second 40.
        for (presented, seconds, answer) in [
            (5, 49, .straggler), (5, 50, .reused), (6, 69, .straggler), (6, 70, .reused), (4, 49, .reused),
        ] as [(Int, Int64, RefreshAnswer)] {
            var session = parent
            #expect(
                session.refresh(presented, at: .example + .seconds(seconds)) == answer, "\(presented) at \(seconds)")
        }
    }

    @Test("a session with the maximum of open windows rotates when the first of them has closed")
    func openWindows() {
        let policy = SessionPolicy(openWindows: 2)
        var session = Session.example()
        func ask(_ generation: Int, _ seconds: Int64) -> RefreshAnswer {
            session.handOver(
                presenting: .generation(generation), at: .example + .seconds(seconds), under: policy, signingWith: "k9")
        }
        for step in 0..<3 { #expect(ask(step, Int64(step)) == .rotated) }
        #expect(ask(3, 3) == .served, "the windows of generations 1 and 2 are open")
        #expect(session.stepUp(3, at: .example + .seconds(3), under: policy) == .postponed(.seconds(30)))
        #expect(ask(3, 31) == .rotated)
        #expect(session.details.earlierWindows?.map(\.generation) == [2, 3] && session.stragglersFrom == 1)
    }

    @Test("a session that began with a new generation stays while its parent goes on")
    func goesOn() {
        var parent = Session.example()
        let child = Self.child(of: &parent, presenting: 0)
        for generation in 1...3 {
            let time = Instant.example + .minutes(Int64(generation))
            #expect(Self.supersedes(&parent, child) { _ = $0.handOver(generation, at: time) } == false)
            #expect(parent.generation == generation + 1)
        }
        #expect(parent.admits(child), "another tab may redeem its code later")
    }

    @Test("a session that began without a new generation ends with the next one")
    func provisional() {
        var parent = Condition.windowOpen.session
        parent.isReissued = true
        let child = Self.child(of: &parent, presenting: 5)
        #expect(parent.generation == 5 && parent.admits(child))
        let later = Instant.example + .minutes(1)
        #expect(Self.supersedes(&parent, child) { _ = $0.refresh(5, at: later) } == true)
        #expect(!parent.admits(child))
    }

    @Test("a session that has withdrawn its codes admits none that was made before, and never counts without a code")
    func withdrawn() {
        var parent = Session.example()
        let without = parent.withdrawCodes()
        #expect(!without && parent.details.handOverEpoch == nil)
        let child = Self.child(of: &parent, presenting: 0)
        let withdrawn = parent.withdrawCodes()
        #expect(withdrawn)
        #expect(!parent.admits(child))
        #expect(parent.admits(Self.child(of: &parent, presenting: 1)))
        #expect(!parent.admits(.example()), "a login")
    }

    @Test("a copy of the cookie from before a step-up hands over the level from before it")
    func copies() {
        let later = Instant.example + .seconds(90)
        var session = Session.example()
        #expect(session.stepUp(0, at: later) == .rotated)
        #expect(session.factors(after: .served, presenting: 0) == Evidence(.password, at: .example))
        #expect(session.factors(after: .straggler, presenting: 0) == Evidence(.password, at: .example))
        #expect(session.factors(after: .served, presenting: 1) == session.details.evidence)
        #expect(session.factors(after: .rotated, presenting: 0) == session.details.evidence)
    }

    @Test(
        "a request may use the sessions of its own host",
        arguments: [
            ("login.example.com", .login), ("LOGIN.example.com:443", .login),
            ("shop.example.com", .other("shop.example.com")), ("Shop.example.com:443", .other("shop.example.com")),
            ("shop.example.com:8443", .foreign), ("app.example.com", .foreign), ("", .foreign), (nil, .foreign),
        ] as [(String?, SessionHost)])
    func hosts(_ host: String?, _ expected: SessionHost) throws {
        let login = try Self.origin("login.example.com")
        let policy = OriginPolicy(ownOrigin: login, hosts: [try Self.origin("shop.example.com")])
        #expect(policy.sessionHost(forHost: host) == expected)
        #expect(OriginPolicy(ownOrigin: login).sessionHost(forHost: host) == .login, "without the setting")
    }

    private static func point() -> HandOverPoint { HandOverPoint(generation: 0, epoch: 0, isProvisional: false) }

    /// A session that begins by a code of the parent.
    private static func child(
        of parent: inout Session, presenting generation: Int, at now: Instant = .example
    ) -> Session {
        let answer = parent.handOver(generation, at: now)
        var child = Session.example()
        child.details.handedOver = HandedOver(
            parent: parent.id, host: "shop.example.com", point: parent.handOverPoint(after: answer))
        return child
    }

    /// Whether a store ends the child when the parent changes.
    private static func supersedes(
        _ parent: inout Session, _ child: Session, _ change: (inout Session) -> Void
    ) -> Bool {
        let before = parent
        change(&parent)
        return parent.mayHaveSuperseded(since: before) && parent.supersedes(child)
    }

    @Test("a session that is handed over ends no later than its parent, and no later than the policy says")
    func ends() {
        let policy = SessionPolicy()
        for (end, expected) in [
            (nil, Instant.example + policy.absoluteLifetime), (.example + .minutes(60), .example + .minutes(60)),
            (.example + .days(399), .example + policy.absoluteLifetime),
        ] as [(Instant?, Instant)] {
            let login = Session.example()
            let session = Session(
                id: login.id, subject: login.subject, secret: login.secret, refreshKey: "k", details: login.details,
                at: .example, under: policy, endingBy: end)
            #expect(session.expiresAt == expected)
        }
    }
}

extension Session {
    fileprivate mutating func handOver(_ generation: Int, at now: Instant = .example) -> RefreshAnswer {
        handOver(presenting: .generation(generation), at: now, under: SessionPolicy(), signingWith: "k9")
    }
}
