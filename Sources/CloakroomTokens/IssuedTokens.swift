public import CloakroomCore

/// A pair of tokens ready to be handed out, with what its delivery needs to know.
public struct IssuedTokens: Hashable, Sendable {
    public let access: VerifiedAccess
    public let refresh: Secret
    public let delivery: Delivery
    /// How long the browser keeps the cookie; nil for as long as it runs.
    public let maximumAge: Span?

    public init(access: VerifiedAccess, refresh: Secret, delivery: Delivery, maximumAge: Span?) {
        self.access = access
        self.refresh = refresh
        self.delivery = delivery
        self.maximumAge = maximumAge
    }
}

/// What came of renewing in the course of a request.
public enum Renewal: Hashable, Sendable {
    case renewed(IssuedTokens)
    /// The request is served; the client is given no token. The authority, for the upstream alone, is at the level of
    /// the expired access token, not at the session's, which a step-up may have raised since; nil for a cookie that
    /// brought none.
    case straggler(VerifiedAccess?)
}
