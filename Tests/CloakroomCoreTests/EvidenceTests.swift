import Testing

@testable import CloakroomCore

@Suite struct EvidenceTests {
    private static let now = Instant.example
    private typealias Traits = Factor.Traits

    @Test(
        "a factor that is shown again keeps the later time, and adding evidence removes none", arguments: [-60, 0, 60])
    func add(_ offset: Int64) {
        var evidence = Evidence(.password, at: Self.now)
        evidence.add(Evidence(.password, at: Self.now + .seconds(offset)))
        let said = evidence.authentication
        #expect(said.time == Self.now + .seconds(max(0, offset)))
        #expect(said.methods == ["pwd"] && said.level == .singleFactor)
    }

    private static let levels: [([Traits], AuthenticationLevel)] = [
        ([], .singleFactor),
        ([Traits(kinds: [.knowledge], resistsPhishing: false)], .singleFactor),
        ([Traits(kinds: [.possession], resistsPhishing: true)], .singleFactor),
        (Array(repeating: Traits(kinds: [.knowledge], resistsPhishing: false), count: 2), .singleFactor),
        (
            [
                Traits(kinds: [.knowledge], resistsPhishing: false),
                Traits(kinds: [.possession], resistsPhishing: false),
            ], .multiFactor
        ),
        ([Traits(kinds: [.possession, .inherence], resistsPhishing: true)], .phishingResistant),
        (
            [
                Traits(kinds: [.knowledge], resistsPhishing: false),
                Traits(kinds: [.possession], resistsPhishing: true),
            ], .phishingResistant
        ),
    ]

    @Test("factors of two kinds count as two factors; two of one kind count as one", arguments: levels.indices)
    func level(_ row: Int) {
        #expect(AuthenticationLevel(of: Self.levels[row].0) == Self.levels[row].1)
    }

    @Test("levels are ordered, and a password alone reaches the lowest")
    func order() {
        #expect(AuthenticationLevel.allCases == AuthenticationLevel.allCases.sorted())
        #expect(AuthenticationLevel.singleFactor < .multiFactor && .multiFactor < .phishingResistant)
        #expect(AuthenticationLevel.highestReachable == .singleFactor)
    }
}
