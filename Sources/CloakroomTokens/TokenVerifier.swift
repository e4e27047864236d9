package import CloakroomCore
import Crypto

/// The check of what a request presents: no I/O, a hash and a look into memory when it has been seen before.
package final class TokenVerifier: Sendable {
    package let revocations: RevocationView
    private let access: AccessTokenVerifier
    package let ring: LiveKeyRing
    private let cookies = VerifiedTokenCache<SessionTokens.Checked>()
    private let bearers = VerifiedTokenCache<VerifiedAccess>()

    package init(
        issuer: String, audience: String, policy: SessionPolicy, ring: LiveKeyRing, revocations: RevocationView
    ) {
        self.ring = ring
        self.revocations = revocations
        let lifetime = policy.accessTokenLifetime
        access = AccessTokenVerifier(
            issuer: issuer, audience: audience, maximumLifetime: lifetime, keys: { ring.current.accessKeys },
            isRetired: { ring.current.isRetired($0, at: $1, lifetime: lifetime) })
    }

    /// Exchanges the keys. What the old ones verified must be verified again: a key may be gone because it was stolen.
    package func replaceKeys(with newer: KeyRing) {
        ring.replace(with: newer)
        cookies.removeAll()
        bearers.removeAll()
    }

    /// Verifies the value of a session cookie. Whether the session was revoked is asked separately, for a stale cookie
    /// is for the store to judge.
    package func verify(cookie value: [UInt8], at now: Instant) throws(TokenFault) -> SessionTokens.Checked {
        let key = SHA256.hash(data: value)
        if let known = cookies.value(for: key) { return recheck(known, at: now) }
        let epoch = cookies.currentEpoch
        let checked = try SessionTokens.verify(value, access: access, refresh: ring.current.refreshKeys, at: now)
        cookies.store(checked, for: key, since: epoch)
        return checked
    }

    /// Spares a browser's next request the verification of what this process has just signed.
    /// - Parameter epoch: of before it was signed.
    package func remember(_ tokens: IssuedTokens, since epoch: Int) {
        let keys = ring.current.refreshKeys
        guard tokens.delivery == .cookie, let refresh = try? RefreshToken(tokens.refresh.bytes, with: keys) else {
            return
        }
        let value = SessionTokens.join(access: tokens.access.token, refresh: tokens.refresh)
        cookies.store(.live(tokens.access, refresh), for: SHA256.hash(data: Array(value.utf8)), since: epoch)
    }

    /// Verifies an access token from an `Authorization` header.
    package func verify(bearer token: [UInt8], at now: Instant) throws(TokenFault) -> VerifiedAccess {
        let key = SHA256.hash(data: token)
        if let known = bearers.value(for: key) { return try live(access.check(known, at: now)) }
        let epoch = bearers.currentEpoch
        let verified = try live(access.verify(token, at: now))
        bearers.store(verified, for: key, since: epoch)
        return verified
    }

    /// Verifies a refresh token that came in a body.
    package func verify(refreshToken: [UInt8]) throws(TokenFault) -> RefreshToken {
        try RefreshToken(refreshToken, with: ring.current.refreshKeys)
    }

    /// Changes when the keys do: what was found before may have rested on a key that is gone.
    package var keyEpoch: Int { cookies.currentEpoch }

    /// - Throws: `Denial.sessionRevoked`.
    package func checkNotRevoked(_ access: VerifiedAccess) throws(Denial) {
        if revocations.isRevoked(access.session) { throw .sessionRevoked }
    }

    private func live(_ checked: CheckedAccess) throws(TokenFault) -> VerifiedAccess {
        switch checked {
        case .live(let access): return access
        case .expired: throw .expired
        }
    }

    private func recheck(_ known: SessionTokens.Checked, at now: Instant) -> SessionTokens.Checked {
        switch known {
        case .live(let access, let refresh):
            switch self.access.check(access, at: now) {
            case .live: return known
            case .expired(let expired): return .stale(expired, refresh)
            }
        case .stale:
            return known
        }
    }
}
