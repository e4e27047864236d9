import Testing

@testable import CloakroomCore

@Suite struct StepUpTests {
    private static let now = Instant.example
    private static let policy = SessionPolicy()
    private static let fresh = Evidence(.password, at: now).authentication

    static let table: [(Condition, isReissued: Bool, presented: Int, RefreshAnswer, becomes: Int)] = [
        (.pending, false, 5, .rotated, 6), (.handedOutNow, false, 5, .rotated, 6), (.windowOpen, false, 5, .rotated, 6),
        (.windowClosed, false, 5, .rotated, 6), (.windowClosed, true, 5, .rotated, 6),
        (.neverOpened, false, 5, .rotated, 6),
        (.pending, true, 5, .postponed(.seconds(30)), 5), (.windowOpen, true, 5, .postponed(Span(milliseconds: 1)), 5),
        (.pending, false, 4, .reissued, 5), (.handedOutNow, false, 4, .reissued, 5), (.pending, true, 4, .reissued, 5),
        (.windowOpen, false, 4, .postponed(Span(milliseconds: 1)), 5), (.windowClosed, false, 4, .reused, 5),
        (.neverOpened, false, 4, .reused, 5), (.pending, false, 3, .reused, 5), (.windowOpen, false, 3, .reused, 5),
        (.pending, false, 6, .adopted, 6), (.windowOpen, false, 9, .adopted, 9), (.windowClosed, false, 6, .adopted, 6),
    ]

    @Test("every row of the table; only returned tokens have the fresh level", arguments: table)
    func row(
        _ condition: Condition, _ isReissued: Bool, _ presented: Int, _ answer: RefreshAnswer, _ generation: Int
    ) {
        var session = condition.session
        session.isReissued = isReissued
        let level = session.authentication
        #expect(session.stepUp(presented) == answer)
        #expect(session.generation == generation)
        #expect((session.revocation != nil) == (answer == .reused))
        let isRaised = answer == .rotated || answer == .reissued
        #expect(session.authentication == (isRaised ? Self.fresh : level))
        #expect(session.authentication(ofGeneration: generation - 1) == level)
        if isRaised { #expect(session.confirmation == .pending) }
    }

    @Test("a postponed step-up succeeds after the time that it was told to wait")
    func postponed() {
        var session = Condition.pending.session
        session.isReissued = true
        guard case .postponed(let wait) = session.stepUp(5) else {
            Issue.record("not postponed")
            return
        }
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now), "the pending generation is confirmed")
        #expect(session.stepUp(5, at: Self.now + wait - Span(milliseconds: 1)) == .postponed(Span(milliseconds: 1)))
        #expect(session.stepUp(5, at: Self.now + wait) == .rotated)
    }

    @Test("each generation of step-ups inside one window is a straggler at the level from before the first")
    func stragglers() {
        var session = Condition.windowClosed.session
        let level = session.authentication
        for generation in 5...8 { #expect(session.stepUp(generation) == .rotated) }
        #expect(session.stragglersFrom == 5)
        for generation in 5...7 {
            #expect(session.stepUp(generation) == .postponed(.seconds(30)), "a pending generation has no window yet")
            #expect(session.refresh(generation) == .straggler)
            #expect(session.authentication(ofGeneration: generation) == level)
        }
        session.confirm(generation: 9, at: Self.now + .seconds(20), under: Self.policy)
        for (generation, end) in [(5, 30), (6, 30), (7, 30), (8, 50)] as [(Int, Int64)] {
            var late = session
            #expect(session.refresh(generation, at: Self.now + .seconds(end - 1)) == .straggler)
            #expect(late.refresh(generation, at: Self.now + .seconds(end)) == .reused, "a later one was seen long ago")
        }
        #expect(session.refresh(4, at: Self.now + .seconds(20)) == .reused)
    }

    @Test("after a rotation with a closed window, older generations are spent and have the session's level")
    func startsAnew() {
        var session = Condition.windowClosed.session
        for generation in 5...6 { _ = session.stepUp(generation) }
        session.confirm(generation: 7, at: Self.now, under: Self.policy)
        #expect(session.refresh(7, at: Self.now + .seconds(30)) == .rotated)
        #expect(session.stragglersFrom == 7)
        #expect(session.earlierEvidence == nil)
        #expect(session.authentication(ofGeneration: 7) == Self.fresh)
        #expect(session.refresh(6, at: Self.now + .seconds(30)) == .reused)
    }

    @Test("a client that presents s - 1 gets s at the earlier level: the fresh level is withdrawn")
    func withdrawn() {
        var session = Condition.windowClosed.session
        let level = session.authentication
        _ = session.stepUp(5)
        #expect(session.refresh(5, at: Self.now + .seconds(1)) == .served)
        #expect(session.authentication == Self.fresh, "no token was returned, so no level is withdrawn")
        #expect(session.refresh(5, at: Self.now + .seconds(2)) == .reissued)
        #expect(session.authentication == level)
    }

    @Test("once the new generation was presented, the fresh level stays")
    func stands() {
        var session = Condition.windowClosed.session
        _ = session.stepUp(5)
        session.confirm(generation: 6, at: Self.now, under: Self.policy)
        #expect(session.refresh(5) == .straggler)
        #expect(session.authentication == Self.fresh)
    }

    @Test("an adoption inside a window withdraws the level of the last step-up")
    func adopted() {
        var session = Condition.windowClosed.session
        let level = session.authentication
        _ = session.stepUp(5)
        #expect(session.refresh(7) == .adopted)
        #expect(session.authentication == level)
        #expect(session.earlierEvidence == nil)
    }

    @Test("two step-ups whose responses are both lost end no session: the second raises the pending generation")
    func lostTwice() {
        var session = Condition.windowClosed.session
        #expect(session.stepUp(5) == .rotated)
        #expect(session.stepUp(5) == .reissued)
        #expect(session.generation == 6)
        #expect(session.authentication == Self.fresh)
        #expect(session.refresh(5, at: Self.now + .seconds(2)) == .reissued)
    }

    @Test(
        "an access token of any age counts as a refresh token that is not spent",
        arguments: [
            (Condition.pending, 5, 5), (.pending, 4, 4), (.pending, 1, 4), (.windowOpen, 5, 5), (.windowOpen, 4, 4),
            (.windowOpen, 2, 4), (.windowClosed, 5, 5), (.windowClosed, 4, 5), (.windowClosed, 1, 5),
            (.neverOpened, 4, 5), (.windowClosed, 8, 8), (.pending, 6, 6),
        ])
    func held(_ condition: Condition, _ seen: Int, _ presented: Int) {
        var session = condition.session
        let held = session.refreshHeld(byAccessOf: seen, at: Self.now, under: Self.policy)
        #expect(held == PresentedRefresh(generation: presented, issuedAt: Self.now - .minutes(2), key: "k5"))
        let answer = session.stepUp(
            with: Evidence(.password, at: Self.now), presenting: held, at: Self.now, under: Self.policy,
            signingWith: "k9")
        #expect(answer != .reused)
    }
}
