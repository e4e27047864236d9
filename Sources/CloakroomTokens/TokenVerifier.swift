package import CloakroomCore
import Crypto

/// Verifies the tokens of a request without I/O. On a cache hit it computes one hash and reads one entry.
///
/// It holds only public keys. Only the issuer can verify the refresh token in a cookie.
package final class TokenVerifier: Sendable {
    /// Has the issuer verify a refresh token and return its session.
    package typealias RefreshCheck = @Sendable (SessionTokens.RefreshHalf) throws(TokenFault) -> SessionID

    package let revocations: RevocationView
    private let access: AccessTokenVerifier
    private let keys: LiveKeys<VerifierKeys>
    private let checkRefresh: RefreshCheck
    private let cookies = VerifiedTokenCache<SessionTokens.Checked>()
    private let bearers = VerifiedTokenCache<VerifiedAccess>()

    /// - Parameter checkRefresh: runs on a cache miss only.
    package init(
        issuer: String, audience: String, policy: SessionPolicy, keys: VerifierKeys, revocations: RevocationView,
        checkRefresh: @escaping RefreshCheck
    ) {
        let keys = LiveKeys(keys)
        self.keys = keys
        self.revocations = revocations
        self.checkRefresh = checkRefresh
        let lifetime = policy.accessTokenLifetime
        access = AccessTokenVerifier(
            issuer: issuer, audience: audience, maximumLifetime: lifetime, keys: { keys.current.keySet },
            isRetired: { keys.current.stage(of: $0, at: $1, lifetime: lifetime) == .retired })
    }

    /// Replaces the keys and empties the cache: a key may have been removed because it was stolen, so every token must
    /// be verified again.
    package func replaceKeys(with newer: VerifierKeys) {
        keys.replace(with: newer)
        cookies.removeAll()
        bearers.removeAll()
    }

    /// Verifies the value of a session cookie. Does not check revocation: for a stale cookie the store decides that.
    /// - Throws: `TokenFault` if one of the two tokens is broken, or if they are of different sessions.
    package func verify(cookie value: [UInt8], at now: Instant) throws(TokenFault) -> SessionTokens.Checked {
        let key = SHA256.hash(data: value)
        if let known = cookies.value(for: key), let checked = recheck(known, at: now) { return checked }
        let epoch = cookies.currentEpoch
        let checked = try check(value, at: now)
        cookies.store(checked, for: key, since: epoch)
        return checked
    }

    private func check(_ value: [UInt8], at now: Instant) throws(TokenFault) -> SessionTokens.Checked {
        let (accessHalf, refresh) = try SessionTokens.split(value)
        // The MAC first: it is cheap, and it stops malformed input.
        let session = try checkRefresh(refresh)
        guard !accessHalf.isEmpty else { return .stale(.absent, refresh) }
        let checked: CheckedAccess
        do {
            checked = try access.verify(accessHalf, at: now)
        } catch {
            guard error == .unknownKey, isOfRemovedKey(accessHalf) else { throw error }
            return .stale(.unverifiable, refresh)
        }
        guard checked.access.session == session else { throw .differentSessions }
        return judge(checked, refresh)
    }

    private func isOfRemovedKey(_ token: ArraySlice<UInt8>) -> Bool {
        VerifiedJWS.claimedKeyID(of: token).map { keys.current.removed.contains($0) } ?? false
    }

    /// Adds tokens that this process has just signed to the cache, so that the browser's next request is a cache hit.
    /// - Parameter epoch: the value of `keyEpoch` before the tokens were signed.
    package func remember(_ tokens: IssuedTokens, since epoch: Int) {
        guard tokens.delivery == .cookie else { return }
        let value = SessionTokens.join(access: tokens.access.token, refresh: tokens.refresh)
        cookies.store(
            .live(tokens.access, .init(bytes: tokens.refresh)), for: SHA256.hash(data: Array(value.utf8)), since: epoch)
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

    /// Whether a bearer token claims our issuer or names a key of ours; neither is verified. Such a token decides about
    /// the request, even if it is broken; the app behind us checks all others.
    package func isOurs(bearer token: [UInt8]) -> Bool {
        if VerifiedJWS.claimedIssuer(of: token) == access.issuer { return true }
        let id = VerifiedJWS.claimedKeyID(of: token)
        return id != nil && keys.current.keySet.keys.contains { $0.id == id }
    }

    /// Changes when the keys change: an earlier verification may have used a key that was removed.
    package var keyEpoch: Int { cookies.currentEpoch }

    private func live(_ checked: CheckedAccess) throws(TokenFault) -> VerifiedAccess {
        switch checked {
        case .live(let access): return access
        case .expired(let expired): throw access.hasLongLifetime(expired.access) ? .lifetimeTooLong : .expired
        case .early: throw .notYetValid
        }
    }

    /// Checks the times of a cached token, on every request.
    /// - Returns: nil for a token that was stale and is live now, after a step of our clock: it must be verified again,
    ///   because a stale token is not checked for whether its key may still sign.
    private func recheck(_ known: SessionTokens.Checked, at now: Instant) -> SessionTokens.Checked? {
        switch known {
        case .live(let access, let refresh):
            let checked = self.access.check(access, at: now)
            if case .live = checked { return known }
            return judge(checked, refresh)
        case .stale(.expired(let expired), _):
            if case .live = access.check(expired.access, at: now) { return nil }
            return known
        case .stale(.absent, _), .stale(.unverifiable, _):
            return known
        }
    }

    /// Treats a token with a future `iat`, issued while our clock was ahead, as expired: the refresh token may yield a
    /// new one.
    private func judge(_ checked: CheckedAccess, _ refresh: SessionTokens.RefreshHalf) -> SessionTokens.Checked {
        switch checked {
        case .live(let access): .live(access, refresh)
        case .expired(let expired), .early(let expired): .stale(.expired(expired), refresh)
        }
    }
}
