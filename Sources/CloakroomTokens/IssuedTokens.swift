package import CloakroomCore

/// A pair of tokens ready to be handed out, with what its delivery needs to know.
package struct IssuedTokens: Hashable, Sendable {
    package let access: VerifiedAccess
    package let refresh: Secret
    package let delivery: Delivery
    /// How long the browser keeps the cookie; nil for as long as it runs.
    package let maximumAge: Span?

    package init(access: VerifiedAccess, refresh: Secret, delivery: Delivery, maximumAge: Span?) {
        self.access = access
        self.refresh = refresh
        self.delivery = delivery
        self.maximumAge = maximumAge
    }
}

/// What came of renewing in the course of a request.
package enum Renewal: Hashable, Sendable {
    case renewed(IssuedTokens)
    /// The request is served; the client is given no token. The authority, for the upstream alone, is at the level of
    /// the expired access token, not at the session's, which a step-up may have raised since; nil for a cookie that
    /// brought none.
    case straggler(VerifiedAccess?)
}
