import Testing

@Suite struct RotationWalkTests {
    private func walk(
        _ name: String, _ rules: RotationRules, _ world: RotationWalk.World
    ) -> RotationWalk.Report {
        let report = RotationWalk(world: world, rules: rules).run()
        print("rotation walk, \(name): \(report.states) states")
        for step in report.violation ?? [] { print("  \(step)") }
        return report
    }

    @Test("with no thief, no order of events ends a session")
    func honest() {
        let report = walk("honest", .real, .init())
        #expect(report.violation == nil)
        #expect(report.states > 1000)
    }

    @Test("nor with more in flight, and a window of several ticks")
    func honestInALargerWorld() {
        #expect(walk("honest, larger", .real, .init(requests: 6, answers: 5, window: 3)).violation == nil)
    }

    @Test("with no thief, restoring old copies of the store ends no session")
    func restored() {
        let report = walk("honest, restored", .real, .init(restores: true))
        #expect(report.violation == nil)
        #expect(report.states > 10_000)
    }

    @Test(
        "with a stolen copy, thief and victim never both rotate twice, unless by crossing a pending generation each time"
    )
    func thief() {
        let report = walk("thief", .real, .init(theft: true))
        #expect(report.violation == nil)
        #expect(report.mostSharedRotations == 2, "the exception is real: it must be reachable")
    }

    @Test("the walk finds a logout when the window opens at rotation instead of confirmation")
    func windowAtRotation() {
        #expect(walk("window at rotation", .windowOpensAtRotation, .init()).violation != nil)
    }

    @Test("the walk finds a logout when a rotation is allowed inside the window")
    func rotationInsideWindow() {
        #expect(walk("rotation inside the window", .rotatesInsideWindow, .init()).violation != nil)
    }

    @Test("the walk finds a shared session when stragglers are given tokens")
    func stragglersGetTokens() {
        let world = RotationWalk.World(requests: 3, answers: 2, theft: true)
        #expect(walk("stragglers get tokens", .stragglersGetTokens, world).violation != nil)
    }

    @Test("the assumption is needed: an answer that a whole rotation overtakes puts a spent token back into the jar")
    func overtakenAnswer() {
        #expect(walk("overtaken answer", .real, .init(window: 2, flight: 1)).violation != nil)
    }
}
