/// What a sensitive route demands of the authentication behind a session (RFC 9470).
public struct StepUp: Hashable, Sendable {
    /// The oldest `auth_time` that is accepted, as an age.
    public var maximumAge: Span?
    /// The weakest level that is accepted.
    public var minimumLevel: AuthenticationLevel

    /// A demand; nil for no limit of age.
    public init(maximumAge: Span? = nil, minimumLevel: AuthenticationLevel = .singleFactor) {
        self.maximumAge = maximumAge
        self.minimumLevel = minimumLevel
    }

    /// - Throws: `Denial.insufficientUserAuthentication` with what would do, or `.stepUpUnavailable` for a level that no
    ///   account reaches: asking for it again and again would lead nowhere.
    public func check(_ authentication: Authentication, at now: Instant) throws(Denial) {
        if authentication.level < minimumLevel { throw minimumLevel > .highestReachable ? .stepUpUnavailable : denial }
        if let maximumAge, now - authentication.time > maximumAge { throw denial }
    }

    private var denial: Denial {
        let accepted = AuthenticationLevel.allCases.filter { $0 >= minimumLevel }.map(\.rawValue)
        return .insufficientUserAuthentication(
            StepUpChallenge(maximumAge: maximumAge, acceptedLevels: minimumLevel == .singleFactor ? [] : accepted))
    }
}

/// What the client must do to be let in: the parameters of RFC 9470 section 3.
public struct StepUpChallenge: Hashable, Sendable {
    /// `max_age`
    public var maximumAge: Span?
    /// `acr_values`; empty when any level will do.
    public var acceptedLevels: [String]

    /// A challenge.
    public init(maximumAge: Span?, acceptedLevels: [String]) {
        self.maximumAge = maximumAge
        self.acceptedLevels = acceptedLevels
    }
}
