extension Session {
    /// When the session ends if nothing more is heard of it.
    public func deadline(under policy: SessionPolicy) -> Instant {
        min(lastSeenAt + policy.idleLifetime, expiresAt)
    }

    /// - Throws: `Denial.sessionRevoked` or `Denial.sessionExpired`.
    public func checkAlive(at now: Instant, under policy: SessionPolicy) throws(Denial) {
        if revocation != nil { throw .sessionRevoked }
        if now >= deadline(under: policy) { throw .sessionExpired }
    }

    /// When an access token issued now must expire: never later than the session itself.
    public func accessTokenExpiry(at now: Instant, under policy: SessionPolicy) -> Instant {
        min(now + policy.accessTokenLifetime, deadline(under: policy))
    }

    /// Ends the session. The first reason stands.
    /// - Returns: whether it was alive until now.
    @discardableResult
    public mutating func revoke(_ reason: RevocationReason, at now: Instant) -> Bool {
        guard revocation == nil else { return false }
        revocation = Revocation(time: now, reason: reason)
        return true
    }

    mutating func touch(at now: Instant) {
        lastSeenAt = max(lastSeenAt, now)
    }

    /// Activity by itself is worth a write only once in a while.
    mutating func touchNowAndThen(at now: Instant, under policy: SessionPolicy) {
        if now - lastSeenAt >= policy.sightingInterval { touch(at: now) }
    }
}
