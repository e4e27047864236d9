package import CloakroomCore

/// Makes the tokens of a session's current generation: the authorization server's half.
package struct TokenIssuer: Sendable {
    package let issuer: String
    package let audience: String
    package let ring: LiveKeyRing

    package init(issuer: String, audience: String, ring: LiveKeyRing) {
        self.issuer = issuer
        self.audience = audience
        self.ring = ring
    }

    /// Below this lifetime (tests, demonstrations) tokens carry milliseconds; above, whole seconds, which strict readers
    /// in other languages expect.
    private static let wholeSecondsFrom = Span.seconds(30)

    /// - Parameter tokenID: `jti`, 128 random bits.
    package func accessToken(
        for session: Session, tokenID: [UInt8], at now: Instant, under policy: SessionPolicy
    ) throws -> VerifiedAccess {
        var issuedAt = now
        if policy.accessTokenLifetime >= Self.wholeSecondsFrom { issuedAt = Instant(milliseconds: now.seconds * 1000) }
        return try sign(
            AccessClaims(
                issuer: issuer, audience: audience, subject: session.subject, client: session.client,
                issuedAt: issuedAt, expiresAt: session.accessTokenExpiry(at: issuedAt, under: policy),
                tokenID: Base64URL.encode(tokenID), session: session.id, generation: session.generation,
                authentication: session.authentication), at: now)
    }

    /// Lets a straggler's request through to an upstream that verifies the token again: the same authority, as long as
    /// one request may take. Never for the client.
    package func accessToken(continuing expired: ExpiredAccess, tokenID: [UInt8], at now: Instant) throws
        -> VerifiedAccess
    {
        let access = expired.access
        return try sign(
            AccessClaims(
                issuer: issuer, audience: audience, subject: access.subject, client: access.client,
                issuedAt: Instant(milliseconds: now.seconds * 1000), expiresAt: now + Self.stragglerLifetime,
                tokenID: Base64URL.encode(tokenID), session: access.session, generation: access.generation,
                authentication: access.authentication), at: now)
    }

    private func sign(_ claims: AccessClaims, at now: Instant) throws -> VerifiedAccess {
        // As the token says it, so that whoever verifies it finds the very same.
        var claims = claims
        claims.authentication.time = Instant(milliseconds: claims.authentication.time.seconds * 1000)
        let key = ring.current.signingKey(at: now)
        return VerifiedAccess(claims, token: Secret(try key.sign(claims.json, type: AccessClaims.type)))
    }

    private static let stragglerLifetime = Span.seconds(30)

    /// The refresh token of the session's current generation; the same bytes each time.
    /// - Throws: `KeyRing.Refusal` when the ring has lost the key that the generation was signed with.
    package func refreshToken(for session: Session) throws -> Secret {
        guard let key = ring.current.refreshKey(session.refreshKey) else {
            throw KeyRing.Refusal(reason: "the refresh secret \(session.refreshKey) is not in the ring")
        }
        return Secret(key.token(for: session))
    }
}
