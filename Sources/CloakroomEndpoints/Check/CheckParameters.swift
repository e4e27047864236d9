import CloakroomCore
import Foundation

/// The demands of a proxy's configuration: the query of `/auth/check?…`, or for proxies that append the request's
/// target to the path (Envoy), `/auth/check;…/target`.
struct CheckParameters: Hashable, Sendable {
    /// The authentication that is required beyond a session; nil for none.
    var demand: StepUp?
    /// The claims that are required.
    var claims: [ClaimDemand] = []
    /// The login page for browser navigations; nil to respond 401.
    var loginPage: String?
    /// For proxies that accept only 200 as "allowed".
    var allowsWith200 = false
    /// For proxies that ask a second time to show a refusal to the browser.
    var refuses = false
    /// The target that the proxy appended; nil when it is in headers.
    var appendedTarget: String?

    static let path = "/auth/check"

    /// Whether the request target is that of a check, with any parameters.
    static func areIn(_ uri: String) -> Bool {
        guard uri.hasPrefix(path) else { return false }
        let next = uri.dropFirst(path.count).first
        return next == nil || next == "?" || next == ";"
    }

    /// Parses a request target; nil for another path.
    /// - Throws: `Denial.invalidRequest` for a parameter that is unknown, repeated or has no such value.
    init?(_ uri: String) throws(Denial) {
        if uri == Self.path { return }
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
            guard seen.insert(parts[0]).inserted || Self.repeatable.contains(parts[0]) else {
                throw Self.refusal(parts[0], "comes twice")
            }
            guard let value = (parts.count == 2 ? String(parts[1]) : "").removingPercentEncoding else {
                throw Self.refusal(parts[0], "is not percent-encoded")
            }
            try take(parts[0], value)
        }
    }

    private static let repeatable: Set<Substring> = ["claim"]

    /// - Throws: `Denial.insufficientClaims`.
    func check(_ claims: Claims) throws(Denial) {
        for demand in self.claims { try demand.check(claims) }
    }

    private mutating func take(_ name: Substring, _ value: String) throws(Denial) {
        guard let parameter = Self.all.first(where: { $0.description.name == name }) else {
            throw Self.refusal(name, "is not a parameter of this endpoint")
        }
        do throws(Complaint) {
            try parameter.apply(value, &self)
        } catch {
            throw Self.refusal(name, error.reason)
        }
    }

    private static func refusal(_ name: Substring, _ reason: String) -> Denial {
        .invalidRequest(fields: [String(name): reason])
    }
}
