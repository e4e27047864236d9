import Testing

/// Walks with a thief, who makes a one-time copy of the cookie at any time and gets every response at once.
@Suite struct TheftWalkTests {
    @Test("thief and victim never both rotate twice, unless one presented s - 1 while s was pending, each time")
    func limited() {
        let report = RotationWalk.report("theft, 4 requests, 3 answers", .init(theft: true))
        #expect(report.violation == nil)
        #expect(report.mostSharedRotations == 2, "the exception must be reachable")
    }

    @Test("the same with any number of messages, with and without step-ups", arguments: [false, true])
    func unlimited(_ hasStepUps: Bool) {
        let world = RotationWalk.World(messages: .unlimited, stepUps: hasStepUps ? .any : .none, theft: true)
        let report = RotationWalk.report("theft, unlimited\(hasStepUps ? ", step-ups" : "")", world)
        #expect(report.violation == nil)
        #expect(report.mostSharedRotations == 2)
        #expect(report.thiefIsRaised == hasStepUps, "a step-up raises the pending generation that the thief holds")
    }

    @Test("after a loss, rotations are counted from the loss", arguments: [(1, false), (2, false), (1, true)])
    func losses(_ losses: Int, _ hasStepUps: Bool) {
        let world = RotationWalk.World(
            messages: .unlimited, stepUps: hasStepUps ? .any : .none, losses: losses, theft: true, openWindows: 1)
        let report = RotationWalk.report("theft, unlimited, \(losses) losses\(hasStepUps ? ", step-ups" : "")", world)
        #expect(report.violation == nil)
        #expect(report.mostSharedRotations == 2)
    }
}
