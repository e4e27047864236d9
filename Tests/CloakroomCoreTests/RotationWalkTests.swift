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
    @Test("without a thief, no order of events ends a session", arguments: [(4, 3), (6, 5)])
    func honest(_ requests: Int, _ answers: Int) {
        let report = RotationWalk.report(
            "\(requests) requests, \(answers) answers", .init(messages: .limited(requests: requests, answers: answers)))
        #expect(report.violation == nil)
        #expect(report.states > 200)
    }

    @Test("any number of messages, each delivered repeatedly, ends no session")
    func unlimited() {
        let report = RotationWalk.report("unlimited", .init(messages: .unlimited))
        #expect(report.violation == nil)
        #expect(report.states > 10)
    }

    @Test("no late response replaces the token in the cookie jar with an older one")
    func overtakenAnswer() {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, stepUpsByAccess: .any)
        let report = RotationWalk.report("unlimited, late responses", world)
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

    @Test("losing up to three writes, up to three times, with messages in flight ends no session", arguments: 1...3)
    func losses(_ losses: Int) {
        let report = RotationWalk.report("unlimited, \(losses) losses", .init(messages: .unlimited, losses: losses))
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
    }

    @Test("the same with each message delivered once", arguments: 1...3)
    func lossesLimited(_ losses: Int) {
        #expect(RotationWalk.report("4 requests, 3 answers, \(losses) losses", .init(losses: losses)).violation == nil)
    }

    @Test(
        "setting the clock back inside windows, any number of times, ends no session and blocks none",
        arguments: [0, 1], [RotationWalk.World.StepUps.none, .apartFromLosses])
    func clockSteps(_ losses: Int, _ stepUps: RotationWalk.World.StepUps) {
        let world = RotationWalk.World(
            messages: .unlimited, stepUps: stepUps, losses: losses, clockIsSetBack: true)
        let report = RotationWalk.report("unlimited, clock set back, \(losses) losses, step-ups: \(stepUps)", world)
        #expect(report.violation == nil)
        #expect(!report.jarWentBack)
    }

    @Test("a loss shortly before or after a step-up inside a window can end an honest session")
    func stepUpsNearLosses() {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, losses: 1)
        #expect(RotationWalk.report("unlimited, step-ups, 1 loss", world).violation != nil)
    }

    @Test("losses and step-ups that are three windows apart end no session", arguments: 1...3)
    func stepUpsApartFromLosses(_ losses: Int) {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .apartFromLosses, losses: losses)
        #expect(RotationWalk.report("unlimited, step-ups apart from \(losses) losses", world).violation == nil)
    }

    @Test("if step-ups always wait for the window, no loss ends a session", arguments: 1...3)
    func waitingStepUps(_ losses: Int) {
        let world = RotationWalk.World(messages: .unlimited, stepUps: .any, stepUpsByAccess: .newest, losses: losses)
        let report = RotationWalk.report("unlimited, waiting step-ups, \(losses) losses", world, by: .stepUpWaits)
        #expect(report.violation == nil)
    }
}
