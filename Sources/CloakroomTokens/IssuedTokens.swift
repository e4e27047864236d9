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

/// The authority of a request that was served without a newer refresh token.
package struct ServedAccess: Hashable, Sendable {
    /// For the upstream, and for the memory of a `hybrid` or `body` client; never for a cookie.
    package let access: VerifiedAccess
    package let delivery: Delivery
    /// How long until a renewal can bring something newer.
    package let renewableIn: Span

    package init(access: VerifiedAccess, delivery: Delivery, renewableIn: Span) {
        self.access = access
        self.delivery = delivery
        self.renewableIn = renewableIn
    }
}

/// What came of a renewal.
package enum Renewal: Hashable, Sendable {
    /// Newer tokens than the request brought, to be handed out.
    case renewed(IssuedTokens)
    case served(ServedAccess)

    /// What the request may do.
    package var access: VerifiedAccess {
        switch self {
        case .renewed(let tokens): tokens.access
        case .served(let served): served.access
        }
    }
}
