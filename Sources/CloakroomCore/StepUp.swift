/// The level and freshness of authentication that a sensitive route demands (RFC 9470).
public struct StepUp: Hashable, Sendable {
    /// The maximum time since the user last reached `minimumLevel`; nil for no limit.
    public var maximumAge: Span?
    /// The weakest level that the route accepts.
    public var minimumLevel: AuthenticationLevel

    /// Takes the maximum age, nil for no limit, and the level.
    public init(maximumAge: Span? = nil, minimumLevel: AuthenticationLevel = .singleFactor) {
        self.maximumAge = maximumAge
        self.minimumLevel = minimumLevel
    }

    /// - Throws: `Denial.insufficientUserAuthentication` with the demand, or `.stepUpUnavailable` for a level that the
    ///   subject cannot reach: the client would step up again and again without success.
    package func check(_ authentication: Authentication, of subject: Subject, at now: Instant) throws(Denial) {
        guard let time = authentication.time(of: minimumLevel) else {
            throw minimumLevel > subject.highestReachableLevel ? .stepUpUnavailable : denial
        }
        guard let maximumAge else { return }
        // A time in the future comes from a wrong clock, and its age is unknown.
        if now - time > maximumAge || time - now > .clockLeeway { throw denial }
    }

    private var denial: Denial {
        let accepted = AuthenticationLevel.allCases.filter { $0 >= minimumLevel }.map(\.rawValue)
        return .insufficientUserAuthentication(
            StepUpChallenge(maximumAge: maximumAge, acceptedLevels: minimumLevel == .singleFactor ? [] : accepted))
    }
}

/// The step-up challenge to the client: the parameters of RFC 9470 section 3.
package struct StepUpChallenge: Hashable, Sendable {
    /// `max_age`
    package var maximumAge: Span?
    /// `acr_values`; empty if every level is accepted.
    package var acceptedLevels: [String]

    /// Takes the two parameters.
    package init(maximumAge: Span?, acceptedLevels: [String]) {
        self.maximumAge = maximumAge
        self.acceptedLevels = acceptedLevels
    }
}
