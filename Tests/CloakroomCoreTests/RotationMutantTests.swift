import Testing

/// Tests that the walk can fail: it finds a violation for each changed rule.
@Suite struct RotationMutantTests {
    struct Mutant: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rules: RotationRules
        var world: RotationWalk.World

        init(_ description: String, _ rules: RotationRules, _ world: RotationWalk.World) {
            testDescription = description
            self.rules = rules
            self.world = world
        }
    }

    private static let once = RotationWalk.World()
    private static let unlimited = RotationWalk.World(messages: .unlimited)
    private static let loss = RotationWalk.World(messages: .unlimited, losses: 1)
    private static let clockSteps = RotationWalk.World(messages: .unlimited, clockIsSetBack: true)
    private static let stepUps = RotationWalk.World(messages: .unlimited, stepUps: .any)
    private static let stepUpsOnce = RotationWalk.World(stepUps: .any)
    private static let theft = RotationWalk.World(messages: .unlimited, theft: true)
    private static let codes = RotationWalk.World(messages: .unlimited, handOvers: true)
    private static let theftAndCodes = RotationWalk.World(messages: .unlimited, theft: true, handOvers: true)
    private static let theftAndStepUps = RotationWalk.World(messages: .unlimited, stepUps: .any, theft: true)

    static let mutants = [
        Mutant("window counted from the rotation", .countsWindowFromRotation, once),
        Mutant("confirmed by the rotation", .confirmsAtRotation, once),
        Mutant("confirmed by a reissue", .reissueConfirms, once),
        Mutant("confirmed by access tokens only", .presentingConfirmsNothing, unlimited),
        Mutant("rotation inside the window", .rotatesInsideWindow, once),
        Mutant("stragglers get tokens", .givesStragglersTokens, theft),
        Mutant("the presented generation is returned", .handsOutThePresented, once),
        Mutant("the presented generation is returned, any number of messages", .handsOutThePresented, unlimited),
        Mutant("the presented generation is returned at its confirmation", .handsOutAtConfirmation, loss),
        Mutant("an adoption returns tokens", .adoptionHandsOut, loss),
        Mutant("an adoption opens no window", .adoptionOpensNoWindow, loss),
        Mutant("no adoption", .adoptsNothing, loss),
        Mutant(
            "after the clock was set back, a window stays open until it has caught up", .leavesWindowAhead, clockSteps),
        Mutant("a clock that is set back closes the window", .closesWindowAhead, clockSteps),
        Mutant("step-up rotates although s was reissued", .stepUpIgnoresReissue, stepUps),
        Mutant("step-up rotates although s was reissued, each message once", .stepUpIgnoresReissue, stepUpsOnce),
        Mutant("older generations of the window are a reuse", .stepUpForgetsStragglers, stepUps),
        Mutant("older generations of the window are a reuse, each message once", .stepUpForgetsStragglers, stepUpsOnce),
        Mutant("step-up skips a pending generation", .stepUpSkipsPending, stepUps),
        Mutant("step-up rotates for a straggler", .stepUpRotatesForStragglers, stepUps),
        Mutant("a step-up raises the presented generation", .stepUpInPlace, theftAndStepUps),
        Mutant("a reissue keeps the fresh level", .reissueKeepsFreshLevel, theftAndStepUps),
        Mutant("stragglers have the fresh level", .stragglersHaveFreshLevel, theftAndStepUps),
        Mutant(
            "an adoption forgets stragglers", .adoptionForgetsStragglers,
            .init(messages: .unlimited, stepUps: .any, losses: 1)),
        Mutant(
            "access tokens adopt nothing", .accessTokensAdoptNothing,
            .init(messages: .unlimited, stepUps: .any, stepUpsByAccess: .newest, losses: 1)),
        Mutant("a pending generation keeps all stragglers", .pendingKeepsStragglers, theftAndCodes),
        Mutant("a rotation inside the window extends the windows before", .rotationExtendsWindows, theftAndCodes),
        Mutant("a rotation inside the window closes the windows before", .rotationClosesWindows, codes),
        Mutant("a code comes without a rotation, and its session stays", .codeWithoutRotation, theftAndCodes),
        Mutant("a code rotates although s was reissued", .codeIgnoresReissue, codes),
        Mutant("a redemption confirms nothing", .redemptionConfirmsNothing, theftAndCodes),
        Mutant("a redemption confirms what was not sent", .redemptionAlwaysConfirms, codes),
        Mutant("the session of a reissued code stays", .reissuedCodeStays, theftAndCodes),
        Mutant("a reissue keeps the codes", .reissueKeepsCodes, theftAndCodes),
    ]

    @Test("the walk finds", arguments: mutants)
    func finds(_ mutant: Mutant) {
        #expect(
            RotationWalk.report("mutant: \(mutant.testDescription)", mutant.world, by: mutant.rules).violation != nil)
    }
}
