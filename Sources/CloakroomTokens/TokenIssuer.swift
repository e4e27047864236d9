package import CloakroomCore

/// Makes the tokens of a session's current generation: the authorization server's half.
package struct TokenIssuer: Sendable {
    package let issuer: String
    package let audience: String
    package let keys: LiveKeys<IssuerKeys>

    package init(issuer: String, audience: String, keys: LiveKeys<IssuerKeys>) {
        self.issuer = issuer
        self.audience = audience
        self.keys = keys
    }

    /// Below this lifetime (tests, demonstrations) tokens carry milliseconds; above, whole seconds, which strict readers
    /// in other languages expect.
    private static let wholeSecondsFrom = Span.seconds(30)

    /// - Parameters:
    ///   - generation: which refresh token was presented; its level is the token's. An access token of a newer generation
    ///     than the client has would confirm that generation when it comes in, and turn the client's own into a reuse.
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
                authentication: session.authentication(ofGeneration: generation)), at: now)
    }

    private func sign(_ claims: AccessClaims, at now: Instant) throws -> VerifiedAccess {
        // As the token says it, so that whoever verifies it finds the very same.
        var claims = claims
        claims.authentication.time = Instant(milliseconds: claims.authentication.time.seconds * 1000)
        let key = keys.current.signingKey(at: now)
        return VerifiedAccess(claims, token: Secret(try key.sign(claims.json, type: AccessClaims.type)))
    }

    /// The refresh token of the session's current generation; the same bytes each time.
    /// - Throws: `IssuerKeys.Refusal` when the issuer has lost the key that the generation was signed with.
    package func refreshToken(for session: Session) throws -> Secret {
        guard let key = keys.current.refreshKey(session.refreshKey) else {
            throw IssuerKeys.Refusal(reason: "the refresh secret \(session.refreshKey) is not among the keys")
        }
        return Secret(key.token(for: session))
    }
}
