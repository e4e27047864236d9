/// How and when a user authenticated, as the claims of an access token state it. Derived from a session's `Evidence`.
public struct Authentication: Hashable, Sendable {
    /// When the user last reached `level` (claim `auth_time`).
    public var time: Instant
    /// The factors (claim `amr`, RFC 8176), such as `pwd`.
    public var methods: [String]
    /// The level that the factors reach together (claim `acr`).
    public var level: AuthenticationLevel
    /// The levels below `level` that the user has reached again since `time`, and when (claim `auth_times`).
    package var lowerLevels: [AuthenticationLevel: Instant] = [:]

    package init(time: Instant, methods: [String], level: AuthenticationLevel) {
        self.time = time
        self.methods = methods
        self.level = level
    }

    /// When the user last reached this level or a higher one; nil for a level above `level`.
    package func time(of wanted: AuthenticationLevel) -> Instant? {
        guard wanted <= level else { return nil }
        return lowerLevels.filter { $0.key >= wanted }.values.reduce(time, max)
    }
}

extension Authentication {
    /// Derives the claims from the factors that were presented, and when each was presented last.
    ///
    /// A level is as old as the oldest factor that it needs: a password of this minute does not make the passkey of
    /// this morning fresh.
    /// - Parameters:
    ///   - asserted: the levels that an app with a login of its own says the user has reached, and when.
    ///   - methods: the factors that the app names.
    package init(
        of shown: [(method: String, traits: Factor.Traits, time: Instant)],
        asserted: [AuthenticationLevel: Instant] = [:], by methods: [String] = []
    ) {
        let newestFirst = shown.sorted { $0.time > $1.time }
        var times: [AuthenticationLevel: Instant] = [:]
        for (index, last) in newestFirst.enumerated() {
            let level = AuthenticationLevel(of: newestFirst[...index].lazy.map(\.traits))
            times[level] = times[level] ?? last.time
        }
        times.merge(asserted, uniquingKeysWith: max)
        let level = times.keys.max() ?? .singleFactor
        let factors = shown.map(\.method)
        self.init(
            time: times[level] ?? .distantPast, methods: factors + methods.filter { !factors.contains($0) },
            level: level)
        times[level] = nil
        lowerLevels = times
    }

    /// The times as an access token encodes them.
    package var inWholeSeconds: Self {
        var rounded = self
        rounded.time = time.wholeSecond
        rounded.lowerLevels = lowerLevels.mapValues(\.wholeSecond).filter { $0.value > rounded.time }
        return rounded
    }
}

extension Instant {
    fileprivate var wholeSecond: Instant { Instant(milliseconds: seconds * 1000) }
}

/// The authentication levels, weakest first (claim `acr`).
public struct AuthenticationLevel: RawRepresentable, Hashable, Codable, Comparable, CaseIterable, Sendable {
    /// The value of the claim.
    public let rawValue: String
    private let rank: Int

    private init(_ rawValue: String, rank: Int) {
        self.rawValue = rawValue
        self.rank = rank
    }

    /// One factor that a script in the page or a phisher could replay, such as a password.
    public static let singleFactor = Self("1", rank: 1)
    /// Factors of two kinds.
    public static let multiFactor = Self("2", rank: 2)
    /// Factors of two kinds, one of which does not work on another site: a passkey with user verification.
    public static let phishingResistant = Self("phr", rank: 3)

    /// Every level.
    public static let allCases: [Self] = [singleFactor, multiFactor, phishingResistant]

    /// nil for a value that is no level.
    public init?(rawValue: String) {
        guard let level = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = level
    }

    /// The level that these factors reach together.
    package init(of factors: some Sequence<Factor.Traits>) {
        let kinds = factors.reduce(into: Factor.Traits.Kinds()) { $0.formUnion($1.kinds) }
        if kinds.count < 2 {
            self = .singleFactor
        } else {
            self = factors.contains(where: \.resistsPhishing) ? .phishingResistant : .multiFactor
        }
    }

    /// The level of a user who presents every factor that Cloakroom knows.
    package static let highestReachable = Self(of: Factor.allCases.map(\.traits))

    /// Whether `one` is weaker than `other`.
    public static func < (one: Self, other: Self) -> Bool {
        one.rank < other.rank
    }
}
