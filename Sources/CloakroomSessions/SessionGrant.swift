package import CloakroomCore
package import CloakroomTokens

/// What a request may know of its session, with the tokens to hand out if there are any.
package struct SessionGrant: Sendable {
    package let session: Session
    /// The access token that the client holds; nil when it is not known to hold one.
    package let access: VerifiedAccess?
    /// nil when nothing was renewed.
    package let renewal: Renewal?

    /// What the answer hands out; nil when the request was served without.
    package var tokens: IssuedTokens? {
        switch renewal {
        case .renewed(let tokens): tokens
        case .served, nil: nil
        }
    }

    /// The level that this very request has: a straggler's is that of the generation it brought.
    package var authentication: Authentication {
        (renewal?.access ?? access)?.authentication ?? session.authentication
    }
}
