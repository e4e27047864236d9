package import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens

extension AuthorizationServer.Configuration {
    /// A configuration value that the server cannot use.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        /// The property, such as `failedLoginsPerMinute` or `policy.idleLifetime`.
        public let field: String
        /// The condition that the value does not meet.
        public let expected: String

        /// The field and the condition, as a sentence.
        public var description: String { "\(field) must be \(expected)" }
    }

    /// The longest lifetime of a session: browsers cut the lifetime of a cookie to it (RFC 6265bis section 5.5).
    private static let longestLifetime = Span.days(400)

    /// Checks every property.
    /// - Throws: `Invalid` for the first value that cannot be used.
    func check() throws(Invalid) {
        try require("issuer", Self.isIdentifier(issuer), "1 to 128 printable ASCII characters")
        try require("audience", audience.map(Self.isIdentifier) ?? true, "1 to 128 printable ASCII characters")
        try checkLifetimes()
        try require(
            "keyRotation", keyRotation.map { $0 >= shortestKeyRotation && $0 <= Self.longestLifetime } ?? true,
            "at least \(shortestKeyRotation.wholeSeconds) seconds and at most 400 days, or nil")
        try require("clients", Set(clients.map(\.id)).count == clients.count, "clients with an id of their own each")
        try require("failedLoginsPerMinute", isIn(1...100_000, failedLoginsPerMinute), "1 to 100000, or nil")
        try require("signUpsPerHour", isIn(1...100_000, signUpsPerHour), "1 to 100000, or nil")
        try require("maximumSessions", isIn(1...10_000, maximumSessions), "1 to 10000")
        let name = "a name of letters, digits and hyphens with a __Host- prefix"
        try require(
            "claims", claims.allSatisfy(Claims.isName),
            "names of 1 to 64 letters, digits, _, - and ., none of them reserved")
        try require(
            "hosts", HostFault.find(in: hosts, beside: publicURL) == nil,
            "at most 16 hosts, each with the scheme of publicURL, a name of its own, and a domain in common with it")
        try require("cookieName", SessionCookie.isName(cookieName), name)
    }

    /// The shortest `keyRotation` with this lifetime of sessions, in whole seconds.
    package var shortestKeyRotation: Span {
        .seconds(IssuerKeys.shortestInterval(longestSession: policy.absoluteLifetime).secondsToWait)
    }

    private func checkLifetimes() throws(Invalid) {
        let positive = [
            ("accessTokenLifetime", policy.accessTokenLifetime), ("idleLifetime", policy.idleLifetime),
            ("absoluteLifetime", policy.absoluteLifetime),
        ]
        for (name, span) in positive {
            try require(
                "policy.\(name)", Span.zero < span && span <= Self.longestLifetime, "more than 0 and at most 400 days")
        }
        for (name, span) in [("stragglerWindow", policy.stragglerWindow), ("reissueDelay", policy.reissueDelay)] {
            try require(
                "policy.\(name)", Span.zero <= span && span <= Self.longestLifetime, "0 or more and at most 400 days")
        }
    }

    private func require(_ field: String, _ isGood: Bool, _ expected: String) throws(Invalid) {
        guard isGood else { throw Invalid(field: field, expected: expected) }
    }

    private func isIn(_ range: ClosedRange<Int>, _ value: Int?) -> Bool {
        value.map { range ~= $0 } ?? true
    }

    private static func isIdentifier(_ text: String) -> Bool {
        1...128 ~= text.utf8.count && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }
}
