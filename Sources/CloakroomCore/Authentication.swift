/// How and when a user authenticated, as the claims of an access token state it. Derived from a session's `Evidence`.
public struct Authentication: Hashable, Sendable {
    /// When the user last presented a factor (claim `auth_time`).
    public var time: Instant
    /// The factors (claim `amr`, RFC 8176), such as `pwd`.
    public var methods: [String]
    /// The level that the factors reach together (claim `acr`).
    public var level: AuthenticationLevel

    /// Takes the values of the three claims.
    public init(time: Instant, methods: [String], level: AuthenticationLevel) {
        self.time = time
        self.methods = methods
        self.level = level
    }
}

/// The authentication levels, weakest first (claim `acr`).
public enum AuthenticationLevel: String, Hashable, Sendable, Comparable, CaseIterable {
    /// One factor that a script in the page or a phisher could replay, such as a password.
    case singleFactor = "1"
    /// Factors of two kinds.
    case multiFactor = "2"
    /// Factors of two kinds, one of which does not work on another site: a passkey with user verification.
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

    /// The level of a user who presents every factor that Cloakroom knows.
    package static let highestReachable = Self(of: Factor.allCases.map(\.traits))

    /// Whether `one` is weaker than `other`.
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
