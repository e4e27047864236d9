import Testing

@testable import CloakroomCore

@Suite struct StepUpDemandTests {
    private static let now = Instant.example

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
        let isAccepted = (try? stepUp.check(authentication, at: Self.now)) != nil
        #expect(isAccepted == isMet)
    }

    @Test("the refusal names the accepted level and age (RFC 9470 section 3)")
    func challenge() {
        let weak = Evidence(.password, at: Self.now).authentication
        let old = Authentication(time: Self.now - .seconds(61), methods: ["pwd", "otp"], level: .multiFactor)
        let demand = StepUp(maximumAge: .seconds(60), minimumLevel: .multiFactor)
        #expect(
            throws: Denial.insufficientUserAuthentication(
                .init(maximumAge: .seconds(60), acceptedLevels: ["2", "phr"]))
        ) {
            try demand.check(old, at: Self.now)
        }
        #expect(throws: Denial.insufficientUserAuthentication(.init(maximumAge: .seconds(1), acceptedLevels: []))) {
            try StepUp(maximumAge: .seconds(1)).check(weak, at: Self.now + .seconds(2))
        }
    }

    @Test("a level that no account reaches is 403, not another request for a step-up")
    func unreachable() {
        for level in AuthenticationLevel.allCases where level > .highestReachable {
            #expect(throws: Denial.stepUpUnavailable) {
                try StepUp(minimumLevel: level).check(Evidence(.password, at: Self.now).authentication, at: Self.now)
            }
        }
    }
}
