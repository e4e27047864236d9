package import CloakroomCore

/// Verifies a token of any issuer, as far as the caller knows what to expect: the server's own checks of form,
/// signature, type and time.
package struct TokenInspection: Sendable {
    package let issuer: String?
    package let audience: String?
    package let type: String?

    /// - Parameter type: the expected `typ`; nil for any.
    package init(issuer: String?, audience: String?, type: String?) {
        self.issuer = issuer
        self.audience = audience
        self.type = type
    }

    /// - Throws: `TokenFault`. `exp` is demanded of access tokens (RFC 9068), and honoured, like `nbf` and `iat`,
    ///   wherever it is present.
    package func claims(
        of token: some Collection<UInt8>, with keys: KeySet, at now: Instant
    ) throws(TokenFault) -> JSONObject {
        let jws = try VerifiedJWS.verify(token, with: keys)
        if let type { try jws.checkType(type) }
        let claims = try jws.claims()
        if let issuer, claims["iss"] != .string(issuer) { throw .wrongIssuer }
        if let audience { try Audience.check(claims["aud"], names: audience) }
        try checkTime(claims, at: now)
        if type == AccessClaims.type { try checkPresence(claims) }
        return claims
    }

    /// What RFC 9068 section 2.2 demands besides `exp`.
    private func checkPresence(_ claims: JSONObject) throws(TokenFault) {
        guard claims["iss"]?.stringValue != nil else { throw .wrongIssuer }
        guard claims["aud"] != nil else { throw .wrongAudience }
        for name in ["sub", "client_id", "jti"] { _ = try AccessClaims.string(claims, name) }
        _ = try AccessClaims.date(claims, "iat")
    }

    private func checkTime(_ claims: JSONObject, at now: Instant) throws(TokenFault) {
        for name in ["nbf", "iat"] where claims[name] != nil {
            guard try AccessClaims.date(claims, name) <= now + Span.clockLeeway else { throw .notYetValid }
        }
        guard claims["exp"] != nil || type == AccessClaims.type else { return }
        guard now < (try AccessClaims.date(claims, "exp")) else { throw .expired }
    }
}
