import Testing

/// Walks in which the browser and a thief ask for codes for other hosts and redeem them.
@Suite struct HandOverWalkTests {
    @Test("without a thief, codes end no session, and no session that began with a rotation", arguments: [1, 2, 3])
    func honest(_ openWindows: Int) {
        let world = RotationWalk.World(messages: .unlimited, handOvers: true, openWindows: openWindows)
        let report = RotationWalk.report("unlimited, codes, \(openWindows) windows", world)
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
        #expect(report.childBegan)
    }

    @Test("the same with step-ups", arguments: [1, 2, 3])
    func stepUps(_ openWindows: Int) {
        let world = RotationWalk.World(
            messages: .unlimited, stepUps: .any, stepUpsByAccess: .any, handOvers: true, openWindows: openWindows)
        let report = RotationWalk.report("unlimited, codes and step-ups, \(openWindows) windows", world)
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
    }

    @Test("the same with each message delivered once")
    func limited() {
        let world = RotationWalk.World(messages: .limited(requests: 3, answers: 3), handOvers: true)
        #expect(RotationWalk.report("3 requests, 3 answers, codes", world).violation == nil)
    }

    @Test("setting the clock back inside windows, any number of times, ends no session")
    func clockSteps() {
        let world = RotationWalk.World(
            messages: .unlimited, stepUps: .any, clockIsSetBack: true, handOvers: true)
        #expect(RotationWalk.report("unlimited, codes and step-ups, clock set back", world).violation == nil)
    }

    @Test("losses that are three windows apart from codes and step-ups end no session", arguments: 1...2)
    func losses(_ losses: Int) {
        let world = RotationWalk.World(
            messages: .unlimited, stepUps: .apartFromLosses, losses: losses, handOvers: true, openWindows: 1)
        let report = RotationWalk.report("unlimited, codes and step-ups apart from \(losses) losses", world)
        #expect(report.violation == nil)
    }

    @Test("a theft is found as without codes, and no session of a copy outlives a renewal of the victim")
    func theft() {
        let world = RotationWalk.World(messages: .unlimited, theft: true, handOvers: true)
        let report = RotationWalk.report("theft, unlimited, codes", world)
        #expect(report.violation == nil)
        #expect(report.childBegan)
    }

    @Test("the same with step-ups")
    func theftAndStepUps() {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, theft: true, handOvers: true)
        #expect(RotationWalk.report("theft, unlimited, codes and step-ups", world).violation == nil)
    }
}
