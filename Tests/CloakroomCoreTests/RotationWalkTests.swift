import Testing

extension RotationWalk {
    /// Runs a walk and prints its result.
    static func report(_ name: String, _ world: World, by rules: RotationRules = .real) -> Report {
        let report = RotationWalk(world: world, rules: rules).run()
        print("rotation walk, \(name): \(report.states) states")
        for step in report.violation ?? [] { print("  \(step)") }
        return report
    }
}

@Suite struct RotationWalkTests {
    @Test("with no thief, no order of events ends a session", arguments: [(4, 3), (6, 5)])
    func honest(_ requests: Int, _ answers: Int) {
        let report = RotationWalk.report(
            "\(requests) requests, \(answers) answers", .init(messages: .limited(requests: requests, answers: answers)))
        #expect(report.violation == nil)
        #expect(report.states > 200)
    }

    @Test("nor does any number of messages, each delivered again and again")
    func unlimited() {
        let report = RotationWalk.report("unlimited", .init(messages: .unlimited))
        #expect(report.violation == nil)
        #expect(report.states > 10)
    }

    @Test("no answer, however late, puts an older token into the jar than is in it")
    func overtakenAnswer() {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, stepUpsByAccess: .any)
        let report = RotationWalk.report("unlimited, overtaken answer", world)
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
    }

    @Test("step-ups end no session, with any number of messages", arguments: [false, true])
    func stepUps(_ isUnlimited: Bool) {
        let messages = isUnlimited ? RotationWalk.World.Messages.unlimited : .limited(requests: 4, answers: 3)
        let world = RotationWalk.World(messages: messages, stepUps: .any, stepUpsByAccess: .any)
        let report = RotationWalk.report("\(isUnlimited ? "unlimited" : "4 requests, 3 answers"), step-ups", world)
        #expect(report.violation == nil)
        #expect(report.states > 20)
    }

    @Test("the store may lose up to three writes while messages are in flight, three times", arguments: 1...3)
    func losses(_ losses: Int) {
        let report = RotationWalk.report("unlimited, \(losses) losses", .init(messages: .unlimited, losses: losses))
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
    }

    @Test("also with each message delivered once", arguments: 1...3)
    func lossesLimited(_ losses: Int) {
        #expect(RotationWalk.report("4 requests, 3 answers, \(losses) losses", .init(losses: losses)).violation == nil)
    }

    @Test(
        "the clock may be set back inside a window, again and again: no session ends, and none is stuck",
        arguments: [0, 1], [RotationWalk.World.StepUps.none, .apartFromLosses])
    func clockSteps(_ losses: Int, _ stepUps: RotationWalk.World.StepUps) {
        let world = RotationWalk.World(
            messages: .unlimited, stepUps: stepUps, losses: losses, clockIsSetBack: true)
        let report = RotationWalk.report("unlimited, clock set back, \(losses) losses, step-ups: \(stepUps)", world)
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
    }

    @Test("a loss and a step-up inside a window, close to each other, can end an honest session")
    func stepUpsNearLosses() {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, losses: 1)
        #expect(RotationWalk.report("unlimited, step-ups, 1 loss", world).violation != nil)
    }

    @Test("apart from each other they end none", arguments: 1...3)
    func stepUpsApartFromLosses(_ losses: Int) {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .apartFromLosses, losses: losses)
        #expect(RotationWalk.report("unlimited, step-ups apart from \(losses) losses", world).violation == nil)
    }

    @Test("step-ups that always wait for the window end none, whatever is lost", arguments: 1...3)
    func waitingStepUps(_ losses: Int) {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, stepUpsByAccess: .newest, losses: losses)
        let report = RotationWalk.report("unlimited, waiting step-ups, \(losses) losses", world, by: .stepUpWaits)
        #expect(report.violation == nil)
    }
}
