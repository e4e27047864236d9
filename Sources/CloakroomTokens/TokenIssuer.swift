package import CloakroomCore

/// Makes the tokens of a session's current generation, in the authorization server.
package struct TokenIssuer: Sendable {
    package let issuer: String
    package let audience: String
    package let keys: LiveKeys<IssuerKeys>
    /// The claims of apps that access tokens may contain.
    private let claimNames: Set<String>
    /// nil if access tokens name no status list.
    private let statusLists: StatusListService?

    package init(
        issuer: String, audience: String, keys: LiveKeys<IssuerKeys>, claimNames: Set<String> = [],
        statusLists: StatusListService? = nil
    ) {
        self.issuer = issuer
        self.audience = audience
        self.keys = keys
        self.claimNames = claimNames
        self.statusLists = statusLists
    }

    /// Tokens with a shorter lifetime (tests, demonstrations) carry milliseconds; all others carry whole seconds, which
    /// strict parsers in other languages expect.
    private static let wholeSecondsFrom = Span.seconds(30)

    /// - Parameters:
    ///   - generation: the generation that the client presented; the token gets its level. If the client got an access
    ///     token of a newer generation, using it would confirm that generation and turn the client's own refresh token
    ///     into a reuse.
    ///   - tokenID: `jti`, 128 random bits.
    package func accessToken(
        for session: Session, generation: Int, tokenID: [UInt8], at now: Instant, under policy: SessionPolicy
    ) throws -> VerifiedAccess {
        var issuedAt = now
        if policy.accessTokenLifetime >= Self.wholeSecondsFrom { issuedAt = Instant(milliseconds: now.seconds * 1000) }
        return try sign(
            AccessClaims(
                issuer: issuer, audience: audience, subject: session.subject, client: session.client,
                issuedAt: issuedAt, expiresAt: session.accessTokenExpiry(at: issuedAt, under: policy),
                tokenID: Base64URL.encode(tokenID), session: session.id, generation: generation,
                authentication: session.authentication(ofGeneration: generation), host: session.host,
                claims: session.claims.restricted(to: claimNames), status: status(of: session.id)), at: now)
    }

    private func status(of session: SessionID) -> JSONValue? {
        guard let statusLists else { return nil }
        return StatusListEntry(session).map(statusLists.claim)
    }

    private func sign(_ claims: AccessClaims, at now: Instant) throws -> VerifiedAccess {
        // The times as the token encodes them, so that a verifier reads exactly the same values.
        var claims = claims
        claims.authentication = claims.authentication.inWholeSeconds
        let key = keys.current.signingKey(at: now)
        return VerifiedAccess(claims, token: Secret(try key.sign(claims.json, type: AccessClaims.type)))
    }

    /// The refresh token of the session's current generation; every call returns the same bytes.
    /// - Throws: `IssuerKeys.Refusal` if the issuer no longer has the key that signed this generation.
    package func refreshToken(for session: Session) throws -> Secret {
        guard let key = keys.current.refreshKey(session.refreshKey) else {
            throw IssuerKeys.Refusal(reason: "the refresh secret \(session.refreshKey) is not among the keys")
        }
        return Secret(key.token(for: session))
    }
}
