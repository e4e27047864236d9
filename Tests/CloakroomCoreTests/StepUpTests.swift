import Testing

@testable import CloakroomCore

@Suite struct StepUpTests {
    private static let now = Instant.example
    private static let policy = SessionPolicy()
    private static let fresh = Authentication.password(at: now)

    private func stepUp(_ session: inout Session, presenting generation: Int) -> RefreshAnswer {
        session.stepUp(
            to: Self.fresh, presenting: .generation(generation), at: Self.now, under: Self.policy, signingWith: "k9")
    }

    @Test(
        "it always leads to a generation that the presenter did not hold, and never two past it",
        arguments: [
            (RefreshTests.Condition.pending, 5, 6), (.windowOpen, 5, 6), (.windowClosed, 5, 6), (.neverOpened, 5, 6),
            (.pending, 4, 5), (.windowOpen, 4, 6), (.windowClosed, 8, 9),
        ])
    func generation(_ condition: RefreshTests.Condition, _ presented: Int, _ expected: Int) {
        var session = condition.session
        #expect(stepUp(&session, presenting: presented) == .rotated)
        #expect(session.generation == expected)
        #expect(session.confirmation == .pending)
        #expect(session.authentication == Self.fresh)
    }

    @Test(
        "a live access token of any generation raises the session, and never looks like a reuse",
        arguments: [
            (RefreshTests.Condition.pending, 5, 6), (.pending, 4, 5), (.pending, 1, 5), (.windowOpen, 4, 6),
            (.windowOpen, 2, 6), (.windowClosed, 5, 6), (.windowClosed, 4, 6), (.windowClosed, 1, 6),
            (.windowClosed, 8, 6),
        ])
    func byAccess(_ condition: RefreshTests.Condition, _ seen: Int, _ expected: Int) {
        var session = condition.session
        let held = session.refreshHeld(byAccessOf: seen)
        let answer = session.stepUp(
            to: Self.fresh, presenting: held, at: Self.now, under: Self.policy, signingWith: "k9")
        #expect(answer == .rotated)
        #expect(session.generation == expected)
        #expect(session.revocation == nil)
    }

    @Test("a spent token raises nothing and revokes the session")
    func spent() {
        var session = RefreshTests.Condition.windowClosed.session
        let level = session.authentication
        #expect(stepUp(&session, presenting: 3) == .reused)
        #expect(session.authentication == level)
        #expect(session.revocation != nil)
    }

    @Test("whoever presents the generation before is given its successor at the old level: the fresh one is withdrawn")
    func withdrawn() {
        var session = RefreshTests.Condition.windowClosed.session
        let level = session.authentication
        _ = stepUp(&session, presenting: 5)
        let answer = session.refresh(
            presenting: .generation(5), at: Self.now, under: Self.policy, signingWith: "k9")
        #expect(answer == .reissued)
        #expect(session.authentication == level)
        #expect(session.supersededAuthentication == nil)
    }

    @Test("once the new generation has been seen, the fresh level stands")
    func stands() {
        var session = RefreshTests.Condition.windowClosed.session
        _ = stepUp(&session, presenting: 5)
        session.confirm(generation: 6, at: Self.now, under: Self.policy)
        let late = session.refresh(presenting: .generation(5), at: Self.now, under: Self.policy, signingWith: "k9")
        #expect(late == .straggler)
        #expect(session.authentication == Self.fresh)
    }

    @Test("two step-ups whose answers are both lost end nothing: the second raises the first's generation")
    func lostTwice() {
        var session = RefreshTests.Condition.windowClosed.session
        #expect(stepUp(&session, presenting: 5) == .rotated)
        #expect(stepUp(&session, presenting: 5) == .rotated)
        #expect(session.generation == 6)
        #expect(session.authentication == Self.fresh)
        let retry = session.refresh(presenting: .generation(5), at: Self.now, under: Self.policy, signingWith: "k9")
        #expect(retry == .reissued)
    }

    @Test(
        "what a route demands is met or not",
        arguments: [
            (StepUp(), 3600, AuthenticationLevel.singleFactor, true),
            (StepUp(maximumAge: .seconds(60)), 60, .singleFactor, true),
            (StepUp(maximumAge: .seconds(60)), 61, .singleFactor, false),
            (StepUp(minimumLevel: .multiFactor), 0, .singleFactor, false),
            (StepUp(minimumLevel: .multiFactor), 3600, .multiFactor, true),
            (StepUp(maximumAge: .seconds(60), minimumLevel: .multiFactor), 61, .multiFactor, false),
        ])
    func check(_ stepUp: StepUp, _ age: Int64, _ level: AuthenticationLevel, _ isMet: Bool) {
        let authentication = Authentication(time: Self.now - .seconds(age), methods: ["pwd"], level: level)
        let isAccepted = (try? stepUp.check(authentication, at: Self.now)) != nil
        #expect(isAccepted == isMet)
    }

    @Test("the refusal says what would do (RFC 9470 section 3)")
    func challenge() {
        let weak = Authentication.password(at: Self.now)
        #expect(throws: Denial.insufficientUserAuthentication(.init(maximumAge: nil, acceptedLevels: ["2"]))) {
            try StepUp(minimumLevel: .multiFactor).check(weak, at: Self.now)
        }
        #expect(throws: Denial.insufficientUserAuthentication(.init(maximumAge: .seconds(1), acceptedLevels: []))) {
            try StepUp(maximumAge: .seconds(1)).check(weak, at: Self.now + .seconds(2))
        }
    }
}
