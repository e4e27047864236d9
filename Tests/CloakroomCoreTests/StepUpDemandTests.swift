import Testing

@testable import CloakroomCore

@Suite struct StepUpDemandTests {
    private static let now = Instant.example
    private static let account = Subject("u_ann")

    @Test(
        "each demand of a route is met or refused",
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
        let isAccepted = (try? stepUp.check(authentication, of: Self.account, at: Self.now)) != nil
        #expect(isAccepted == isMet)
    }

    /// The maximum age and the level that are demanded, and whether a password of now beside second factors of an hour
    /// ago will do.
    private static let demands: [(Int64, AuthenticationLevel, Bool)] = [
        (60, .singleFactor, true), (60, .multiFactor, false), (60, .phishingResistant, false),
        (3600, .multiFactor, true), (3600, .phishingResistant, true), (3599, .phishingResistant, false),
    ]

    @Test("a fresh weak factor does not make an old strong one fresh", arguments: demands)
    func oneFactorForBoth(_ maximumAge: Int64, _ level: AuthenticationLevel, _ isMet: Bool) {
        let weak = Factor.Traits(kinds: [.knowledge], resistsPhishing: false)
        let strong = Factor.Traits(kinds: [.possession, .inherence], resistsPhishing: true)
        let mixed = Authentication(of: [("hwk", strong, Self.now - .seconds(3600)), ("pwd", weak, Self.now)])
        let demand = StepUp(maximumAge: .seconds(maximumAge), minimumLevel: level)
        #expect(((try? demand.check(mixed, of: Self.account, at: Self.now)) != nil) == isMet)
        let fresh = Authentication(of: [("hwk", strong, Self.now), ("pwd", weak, Self.now - .seconds(3600))])
        #expect(
            (try? demand.check(fresh, of: Self.account, at: Self.now)) != nil,
            "the strong factor is of every lower level too")
    }

    @Test("a time in the future is fresh within the leeway of two clocks alone", arguments: [0, 30, 31, 9999])
    func future(_ ahead: Int64) {
        let authentication = Evidence(.password, at: Self.now + .seconds(ahead)).authentication
        let isFresh = (try? StepUp(maximumAge: .days(1)).check(authentication, of: Self.account, at: Self.now)) != nil
        #expect(isFresh == (ahead <= 30))
        #expect(
            (try? StepUp().check(authentication, of: Self.account, at: Self.now)) != nil,
            "without a limit the time does not count")
    }

    @Test("the refusal says what would do (RFC 9470 section 3)")
    func challenge() {
        let weak = Evidence(.password, at: Self.now).authentication
        let old = Authentication(time: Self.now - .seconds(61), methods: ["pwd", "otp"], level: .multiFactor)
        let demand = StepUp(maximumAge: .seconds(60), minimumLevel: .multiFactor)
        #expect(
            throws: Denial.insufficientUserAuthentication(
                .init(maximumAge: .seconds(60), acceptedLevels: ["2", "phr"]))
        ) {
            try demand.check(old, of: Self.account, at: Self.now)
        }
        #expect(throws: Denial.insufficientUserAuthentication(.init(maximumAge: .seconds(1), acceptedLevels: []))) {
            try StepUp(maximumAge: .seconds(1)).check(weak, of: Self.account, at: Self.now + .seconds(2))
        }
    }

    @Test("a level that no account reaches is 403, not another request for a step-up")
    func unreachable() {
        let password = Evidence(.password, at: Self.now).authentication
        for level in AuthenticationLevel.allCases where level > .highestReachable {
            #expect(throws: Denial.stepUpUnavailable) {
                try StepUp(minimumLevel: level).check(password, of: Self.account, at: Self.now)
            }
            let accepted = AuthenticationLevel.allCases.filter { $0 >= level }.map(\.rawValue)
            #expect(
                throws: Denial.insufficientUserAuthentication(.init(maximumAge: nil, acceptedLevels: accepted)),
                "the app that authenticates the subject can do more than we can"
            ) {
                try StepUp(minimumLevel: level).check(password, of: Subject("42"), at: Self.now)
            }
        }
    }
}
