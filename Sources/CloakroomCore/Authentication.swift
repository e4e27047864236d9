/// How and when a person showed who they are, as an access token says it. Derived from the `Evidence` of a session.
public struct Authentication: Hashable, Sendable {
    /// When a factor was shown last (claim `auth_time`).
    public var time: Instant
    /// The factors (claim `amr`, RFC 8176), such as `pwd`.
    public var methods: [String]
    /// The level that they reach together (claim `acr`).
    public var level: AuthenticationLevel

    /// What a token says.
    public init(time: Instant, methods: [String], level: AuthenticationLevel) {
        self.time = time
        self.methods = methods
        self.level = level
    }
}

/// The authentication levels, weakest first (claim `acr`).
public enum AuthenticationLevel: String, Hashable, Sendable, Comparable, CaseIterable {
    /// One factor that script in the page or a phisher could replay, such as a password.
    case singleFactor = "1"
    /// Factors of two kinds.
    case multiFactor = "2"
    /// Factors of two kinds, one of which no other site can be handed: a passkey with user verification.
    case phishingResistant = "phr"

    /// The level that these factors reach together.
    package init(of factors: some Sequence<Factor.Traits>) {
        let kinds = factors.reduce(into: Factor.Traits.Kinds()) { $0.formUnion($1.kinds) }
        if kinds.count < 2 {
            self = .singleFactor
        } else {
            self = factors.contains(where: \.resistsPhishing) ? .phishingResistant : .multiFactor
        }
    }

    /// What somebody reaches who shows every factor that there is.
    package static let highestReachable = Self(of: Factor.allCases.map(\.traits))

    /// Whether one is weaker.
    public static func < (one: Self, other: Self) -> Bool {
        one.rank < other.rank
    }

    private var rank: Int {
        switch self {
        case .singleFactor: 1
        case .multiFactor: 2
        case .phishingResistant: 3
        }
    }
}
