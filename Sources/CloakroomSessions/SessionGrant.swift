package import CloakroomCore
package import CloakroomTokens

/// The session of a request, with the tokens that the response carries, if any.
package struct SessionGrant: Sendable {
    package let session: Session
    /// The access token that the client holds; nil when it is not known to hold one.
    package let access: VerifiedAccess?
    /// The result of a renewal; nil when none was tried.
    package let renewal: Renewal?

    /// The tokens for the response; nil when the request was served without new ones.
    package var tokens: IssuedTokens? {
        switch renewal {
        case .renewed(let tokens): tokens
        case .served, nil: nil
        }
    }

    /// The authentication level of this request. For a straggler it is the level of the generation that it presented.
    package var authentication: Authentication {
        (renewal?.access ?? access)?.authentication ?? session.authentication
    }
}
