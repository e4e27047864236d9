import Testing

@testable import CloakroomCore

@Suite struct EvidenceTests {
    private static let now = Instant.example
    private typealias Traits = Factor.Traits

    @Test("a factor that is shown again keeps the later time, and adding never takes away", arguments: [-30, 0, 60])
    func add(_ offset: Int64) {
        var evidence = Evidence(.password, at: Self.now)
        evidence.add(Evidence(.password, at: Self.now + .seconds(offset)))
        let said = evidence.authentication
        #expect(said.time == Self.now + .seconds(max(0, offset)))
        #expect(said.methods == ["pwd"] && said.level == .singleFactor)
    }

    @Test("a time far ahead, of a clock that was wrong, does not outlive the next time that the factor is shown")
    func wrongClock() throws {
        var evidence = Evidence(.password, at: Self.now + .days(1))
        evidence.add(Evidence(.password, at: Self.now))
        #expect(evidence.authentication.time == Self.now)
        try StepUp(maximumAge: .seconds(1)).check(evidence.authentication, of: Subject("u_1"), at: Self.now)
    }

    private static let password = Traits(kinds: [.knowledge], resistsPhishing: false)
    private static let code = Traits(kinds: [.possession], resistsPhishing: false)
    private static let passkey = Traits(kinds: [.possession, .inherence], resistsPhishing: true)

    /// Factors with their ages in seconds; the level; the age of the level, and those of the lower levels that are newer.
    private static let ages: [([(Traits, Int64)], AuthenticationLevel, Int64, [AuthenticationLevel: Int64])] = [
        ([(password, 9)], .singleFactor, 9, [:]),
        ([(password, 9), (code, 5)], .multiFactor, 9, [.singleFactor: 5]),
        ([(password, 5), (code, 9)], .multiFactor, 9, [.singleFactor: 5]),
        ([(passkey, 9), (password, 5)], .phishingResistant, 9, [.singleFactor: 5]),
        ([(passkey, 5), (password, 9)], .phishingResistant, 5, [:]),
        ([(passkey, 9), (password, 5), (code, 2)], .phishingResistant, 9, [.singleFactor: 2, .multiFactor: 5]),
    ]

    @Test("a level is as old as the oldest factor that it needs", arguments: ages.indices)
    func age(_ row: Int) {
        let (shown, level, age, lower) = Self.ages[row]
        let said = Authentication(
            of: shown.map { (method: "x", traits: $0.0, time: Self.now - .seconds($0.1)) })
        #expect(said.level == level && said.time == Self.now - .seconds(age))
        #expect(said.lowerLevels == lower.mapValues { Self.now - .seconds($0) })
        #expect(said.time(of: .singleFactor) == Self.now - .seconds(shown.map(\.1).min() ?? 0))
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
