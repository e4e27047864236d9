package import CloakroomCore

/// A pair of tokens to send to a client, with the attributes of their delivery.
package struct IssuedTokens: Hashable, Sendable {
    package let access: VerifiedAccess
    package let refresh: Secret
    package let delivery: Delivery
    /// The `Max-Age` of the cookie; nil for a cookie that ends with the browser.
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
    /// The time until a renewal can yield a newer refresh token.
    package let renewableIn: Span

    package init(access: VerifiedAccess, delivery: Delivery, renewableIn: Span) {
        self.access = access
        self.delivery = delivery
        self.renewableIn = renewableIn
    }
}

/// The result of a renewal.
package enum Renewal: Hashable, Sendable {
    /// Newer tokens than those of the request; the response must carry them.
    case renewed(IssuedTokens)
    case served(ServedAccess)

    /// The authority of the request.
    package var access: VerifiedAccess {
        switch self {
        case .renewed(let tokens): tokens.access
        case .served(let served): served.access
        }
    }
}
