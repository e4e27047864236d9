/// Which factors a person has shown to a session, and when each was shown last. What tokens say of it (`amr`, `acr`,
/// `auth_time`) is derived.
public struct Evidence: Hashable, Sendable, Codable {
    private struct Shown: Hashable, Sendable, Codable {
        var factor: Factor
        var time: Instant
    }

    /// In the order in which they were shown first.
    private var shown: [Shown]

    package init(_ factor: Factor, at time: Instant) {
        shown = [Shown(factor: factor, time: time)]
    }

    /// A password was shown. For provers outside of this package.
    public static func password(at time: Instant) -> Evidence {
        Evidence(.password, at: time)
    }

    /// Adds what was shown since. A factor that was shown again keeps the later time, and none is taken away.
    package mutating func add(_ other: Evidence) {
        for new in other.shown {
            if let index = shown.firstIndex(where: { $0.factor == new.factor }) {
                shown[index].time = max(shown[index].time, new.time)
            } else {
                shown.append(new)
            }
        }
    }

    /// What access tokens say of it.
    public var authentication: Authentication {
        Authentication(
            time: shown.lazy.map(\.time).max() ?? .distantPast, methods: shown.map(\.factor.rawValue),
            level: AuthenticationLevel(of: shown.lazy.map(\.factor.traits)))
    }
}
