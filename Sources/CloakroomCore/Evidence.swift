/// Which factors a user has presented in a session, and when each was presented last. The claims `amr`, `acr` and
/// `auth_time` are derived from it.
public struct Evidence: Hashable, Sendable, Codable {
    private struct Shown: Hashable, Sendable, Codable {
        var factor: Factor
        var time: Instant
    }

    /// In the order in which the user first presented them.
    private var shown: [Shown]

    package init(_ factor: Factor, at time: Instant) {
        shown = [Shown(factor: factor, time: time)]
    }

    /// A password was shown. For provers outside of this package.
    public static func password(at time: Instant) -> Evidence {
        Evidence(.password, at: time)
    }

    /// Adds what was shown since. A factor that was shown again keeps the later time, and none is taken away.
    ///
    /// A time far ahead of the new one was written while the clock was wrong. It is replaced, because a demand for a
    /// fresh factor refuses it: the user could step up again and again without success.
    package mutating func add(_ other: Evidence) {
        for new in other.shown {
            if let index = shown.firstIndex(where: { $0.factor == new.factor }) {
                let isAhead = shown[index].time - new.time > .clockLeeway
                shown[index].time = isAhead ? new.time : max(shown[index].time, new.time)
            } else {
                shown.append(new)
            }
        }
    }

    /// The claims `auth_time`, `amr` and `acr` of access tokens.
    public var authentication: Authentication {
        Authentication(of: shown.map { (method: $0.factor.rawValue, traits: $0.factor.traits, time: $0.time) })
    }
}
