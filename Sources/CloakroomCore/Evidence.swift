/// Which factors a user has presented in a session, and when each was presented last. The claims `amr`, `acr` and
/// `auth_time` are derived from it.
public struct Evidence: Hashable, Sendable, Codable {
    private struct Shown: Hashable, Sendable, Codable {
        var factor: Factor
        var time: Instant
    }

    /// What an app that has its own login says about it.
    private struct Asserted: Hashable, Sendable, Codable {
        var methods: [String]
        /// When the user last reached each level.
        var times: [AuthenticationLevel: Instant]
    }

    /// In the order in which the user first presented them.
    private var shown: [Shown]
    /// nil for a session without such an app.
    private var asserted: Asserted?

    package init(_ factor: Factor, at time: Instant) {
        shown = [Shown(factor: factor, time: time)]
    }

    /// A password was shown. For provers outside of this package.
    public static func password(at time: Instant) -> Evidence {
        Evidence(.password, at: time)
    }

    /// The most methods that a session keeps of an app's own login, so that the cookie stays within its size limit.
    package static let longestAssertion = 3

    /// An app has authenticated the user by itself, with methods and a level of its own account.
    /// - Parameter methods: values of `amr` (RFC 8176), `isMethod` each, at most `longestAssertion`.
    package init(asserting methods: [String], level: AuthenticationLevel, at time: Instant) {
        shown = []
        asserted = Asserted(methods: Array(methods.prefix(Self.longestAssertion)), times: [level: time])
    }

    /// Whether the text may be a method of an app: 1 to 8 lower-case letters, digits, `_` and `-`.
    package static func isMethod(_ text: String) -> Bool {
        1...8 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || "_-".utf8.contains(byte)
            }
    }

    /// Adds what was shown since. A factor that was shown again keeps the later time, and none is taken away. Of the
    /// methods of an app the latest `longestAssertion` are kept; the level never falls.
    package mutating func add(_ other: Evidence) {
        for new in other.shown {
            if let index = shown.firstIndex(where: { $0.factor == new.factor }) {
                shown[index].time = Self.later(shown[index].time, new.time)
            } else {
                shown.append(new)
            }
        }
        guard let new = other.asserted else { return }
        guard let old = asserted else { return asserted = new }
        asserted = Asserted(
            methods: (old.methods.filter { !new.methods.contains($0) } + new.methods).suffix(Self.longestAssertion),
            times: old.times.merging(new.times, uniquingKeysWith: Self.later))
    }

    /// A time far ahead of the new one was written while the clock was wrong. It is replaced, because a demand for a
    /// fresh factor refuses it: the user could step up again and again without success.
    private static func later(_ old: Instant, _ new: Instant) -> Instant {
        old - new > .clockLeeway ? new : max(old, new)
    }

    /// The claims `auth_time`, `amr` and `acr` of access tokens.
    package var authentication: Authentication {
        Authentication(
            of: shown.map { (method: $0.factor.rawValue, traits: $0.factor.traits, time: $0.time) },
            asserted: asserted?.times ?? [:], by: asserted?.methods ?? [])
    }
}
