/// How and when a person proved who they are: the level that a session carries into its access tokens.
public struct Authentication: Hashable, Sendable {
    /// When the proof was given (claim `auth_time`).
    public var time: Instant
    /// The methods used (claim `amr`, RFC 8176), such as `pwd`.
    public var methods: [String]
    /// The level reached (claim `acr`).
    public var level: AuthenticationLevel

    /// A proof as a token or a row carries it.
    public init(time: Instant, methods: [String], level: AuthenticationLevel) {
        self.time = time
        self.methods = methods
        self.level = level
    }

    /// What a password alone proves.
    public static func password(at time: Instant) -> Self {
        Self(time: time, methods: ["pwd"], level: .singleFactor)
    }
}

/// The authentication levels that Cloakroom gives, weakest first (claim `acr`).
public enum AuthenticationLevel: String, Hashable, Sendable, Comparable, CaseIterable {
    /// One factor that script in the page or a phisher could replay, such as a password.
    case singleFactor = "1"
    /// Two factors, or one with user verification that script cannot produce.
    case multiFactor = "2"
    /// A factor that no other site can be handed, used by a person: a passkey with user verification.
    case phishingResistant = "phr"

    /// What accounts can show: a password.
    package static let highestReachable = Self.singleFactor

    /// Whether one is weaker.
    public static func < (one: Self, other: Self) -> Bool {
        one.rawValue < other.rawValue
    }
}
