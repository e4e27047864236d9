import CloakroomCore
import Foundation

/// What a proxy's configuration demands of the requests it asks about: the query of `/auth/check?…`, or for proxies that
/// append the request's target to the path (Envoy), `/auth/check;…/target`.
struct CheckParameters: Hashable, Sendable {
    /// Beyond a session.
    private(set) var demand: StepUp?
    /// The login page for navigations; nil to answer 401.
    private(set) var loginPage: String?
    /// For proxies that allow on 200 only.
    private(set) var allowsWith200 = false
    /// For proxies that ask a second time to show a refusal.
    private(set) var refuses = false
    /// The target that the proxy appended; nil where headers tell it.
    private(set) var appendedTarget: String?

    private static let path = "/auth/check"

    /// nil for another path.
    /// - Throws: `Denial.invalidRequest` for a parameter that is unknown, comes twice or has no such value.
    init?(_ uri: String) throws(Denial) {
        guard uri.hasPrefix(Self.path) else { return nil }
        let rest = uri.dropFirst(Self.path.count)
        switch rest.first {
        case nil:
            return
        case "?":
            try read(rest.dropFirst(), separator: "&")
        case ";":
            let parameters = rest.dropFirst().prefix { $0 != "/" }
            let target = rest.dropFirst(1 + parameters.count)
            guard !target.isEmpty else { throw .invalidRequest(fields: ["path": "ends without a target"]) }
            appendedTarget = String(target)
            try read(parameters, separator: ";")
        default:
            return nil
        }
    }

    private mutating func read(_ text: Substring, separator: Character) throws(Denial) {
        var seen: Set<Substring> = []
        for parameter in text.split(separator: separator) {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard seen.insert(parts[0]).inserted else { throw Self.refusal(parts[0], "comes twice") }
            guard let value = (parts.count == 2 ? String(parts[1]) : "").removingPercentEncoding else {
                throw Self.refusal(parts[0], "is not percent-encoded")
            }
            try take(parts[0], value)
        }
    }

    private mutating func take(_ name: Substring, _ value: String) throws(Denial) {
        switch name {
        case "max_age":
            guard let seconds = Int64(value), 0...34_560_000 ~= seconds else {
                throw Self.refusal(name, "must be whole seconds")
            }
            demand = StepUp(maximumAge: .seconds(seconds), minimumLevel: demand?.minimumLevel ?? .singleFactor)
        case "acr":
            guard let level = AuthenticationLevel(rawValue: value) else {
                throw Self.refusal(
                    name, "must be one of \(AuthenticationLevel.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            demand = StepUp(maximumAge: demand?.maximumAge, minimumLevel: level)
        case "login":
            guard SameOriginPath.isSafe(value) else { throw Self.refusal(name, "must be a path on this origin") }
            loginPage = value
        case "allow":
            guard value == "200" else { throw Self.refusal(name, "must be 200") }
            allowsWith200 = true
        case "refuse":
            guard value.isEmpty else { throw Self.refusal(name, "has no value") }
            refuses = true
        default:
            throw Self.refusal(name, "is not a parameter of this endpoint")
        }
    }

    private static func refusal(_ name: Substring, _ reason: String) -> Denial {
        .invalidRequest(fields: [String(name): reason])
    }
}
