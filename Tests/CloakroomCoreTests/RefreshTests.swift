import Testing

@testable import CloakroomCore

@Suite struct RefreshTests {
    static let now = Instant.example
    static let policy = SessionPolicy()

    static let table: [(Condition, presented: Int, RefreshAnswer, becomes: Int)] = [
        (.handedOutNow, 5, .served, 5), (.pending, 5, .served, 5), (.windowOpen, 5, .served, 5),
        (.windowClosed, 5, .rotated, 6), (.neverOpened, 5, .rotated, 6),
        (.handedOutNow, 4, .served, 5), (.pending, 4, .reissued, 5), (.windowOpen, 4, .straggler, 5),
        (.windowClosed, 4, .reused, 5), (.neverOpened, 4, .reused, 5),
        (.pending, 3, .reused, 5), (.windowOpen, 3, .reused, 5), (.windowClosed, 0, .reused, 5),
        (.pending, 6, .adopted, 6), (.windowOpen, 9, .adopted, 9), (.windowClosed, 6, .adopted, 6),
    ]

    @Test("every row of the protocol's table", arguments: table)
    func row(_ condition: Condition, _ presented: Int, _ answer: RefreshAnswer, _ generation: Int) {
        var session = condition.session
        #expect(session.refresh(presented) == answer)
        #expect(session.generation == generation)
        #expect((session.revocation != nil) == (answer == .reused))
    }

    @Test("a new session starts at generation 0, confirmed, its window closed: the first renewal rotates")
    func start() {
        var session = Session.example()
        #expect(session.generation == 0)
        #expect(session.confirmation == .confirmed(windowOpenedAt: nil))
        #expect(session.refresh(0) == .rotated)
        #expect(session.confirmation == .pending)
        #expect(session.rotatedAt == Self.now)
        #expect(session.handedOutAt == Self.now)
        #expect(!session.isReissued)
        #expect(session.refreshKey == "k9")
    }

    @Test("presenting a pending generation confirms it and opens the window")
    func confirms() {
        var session = Condition.pending.session
        _ = session.refresh(5)
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now))
        #expect(session.rotatedAt == Self.now - .minutes(2), "the same generation keeps its iat, and so its bytes")
        #expect(session.refreshKey == "k5")
    }

    @Test("with a window of zero length a pending generation is served once, then rotated")
    func noWindow() {
        let policy = SessionPolicy(stragglerWindow: .zero)
        var session = Condition.pending.session
        #expect(session.refresh(5, under: policy) == .served)
        #expect(session.refresh(5, under: policy) == .rotated)
    }

    @Test("the window is fixed: no event inside it moves its end")
    func fixedWindow() {
        var session = Condition.pending.session
        for second in Int64(0)..<30 { #expect(session.refresh(5, at: Self.now + .seconds(second)) == .served) }
        #expect(session.refresh(5, at: Self.now + .seconds(30)) == .rotated)
    }

    @Test("a pending generation is returned again after reissueDelay, any number of times")
    func reissue() {
        var session = Condition.windowClosed.session
        #expect(session.refresh(5) == .rotated)
        for retry in Int64(1)...5 {
            let due = Self.now + .seconds(2 * retry)
            #expect(session.refresh(5, at: due - Span(milliseconds: 1)) == .served)
            #expect(session.refresh(5, at: due) == .reissued)
            #expect(session.isReissued)
            #expect(session.handedOutAt == due)
        }
        #expect(session.refresh(5, at: Self.now + .days(5)) == .reissued)
        #expect(session.confirmation == .pending)
        #expect(session.rotatedAt == Self.now, "the same generation keeps its iat, and so its bytes")
    }

    @Test("24 parallel requests of one browser get one cookie")
    func parallel() {
        var session = Condition.windowClosed.session
        let answers = (Int64(0)..<24).map { session.refresh(5, at: Self.now + .seconds($0 / 12)) }
        #expect(answers == [.rotated] + Array(repeating: .served, count: 23))
    }

    @Test("if the clock was set back, the age of a response is unknown, and the generation is returned again")
    func reissueAfterClockSetBack() {
        var session = Condition.windowClosed.session
        _ = session.refresh(5)
        #expect(session.renewableIn(at: Self.now - .seconds(1), under: Self.policy) == .zero)
        #expect(session.refresh(5, at: Self.now - .seconds(1)) == .reissued)
    }

    @Test("an adoption returns no token, and continues at the presented generation with its iat and key")
    func adoption() {
        var session = Condition.windowClosed.session
        let presented = PresentedRefresh(generation: 8, issuedAt: Self.now - .seconds(77), key: "k8")
        let answer = session.refresh(presenting: presented, at: Self.now, under: Self.policy, signingWith: "k9")
        #expect(answer == .adopted)
        #expect(session.generation == 8)
        #expect(session.rotatedAt == Self.now - .seconds(77))
        #expect(session.refreshKey == "k8")
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now))
        #expect(session.isReissued, "the store does not know how often the generation was returned")
    }

    @Test(
        "after an adoption every generation in flight is a straggler for one window",
        arguments: [
            (Condition.windowClosed, [7, 6, 5], 4), (.neverOpened, [7, 6, 5], 4), (.pending, [7, 6, 5, 4], 3),
            (.windowOpen, [7, 6, 5, 4], 3),
        ])
    func adoptionStragglers(_ condition: Condition, _ stragglers: [Int], _ reused: Int) {
        var session = condition.session
        _ = session.refresh(8)
        for generation in stragglers {
            var other = session
            #expect(session.refresh(generation) == .straggler)
            #expect(other.refresh(generation, at: Self.now + .seconds(30)) == .reused)
        }
        #expect(session.refresh(reused) == .reused)
    }

    @Test("a spent token revokes the session, with its reason and time")
    func reuse() {
        var session = Condition.windowClosed.session
        _ = session.refresh(3)
        #expect(session.revocation == .init(time: Self.now, reason: .refreshTokenReused))
        #expect(session.refresh(5) == .denied(.sessionRevoked))
    }

    @Test("a revoked session is denied for every presented generation", arguments: [3, 4, 5, 6])
    func revoked(_ presented: Int) {
        var session = Condition.windowOpen.session
        session.revoke(.logout, at: Self.now)
        let before = session
        #expect(session.refresh(presented) == .denied(.sessionRevoked))
        #expect(session.stepUp(presented) == .denied(.sessionRevoked))
        #expect(session == before)
    }
}
