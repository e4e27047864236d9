extension Session {
    /// When the session ends if the client sends no further request.
    public func deadline(under policy: SessionPolicy) -> Instant {
        min(lastSeenAt + policy.idleLifetime, expiresAt)
    }

    /// - Throws: `Denial.sessionRevoked` or `Denial.sessionExpired`.
    package func checkAlive(at now: Instant, under policy: SessionPolicy) throws(Denial) {
        if revocation != nil { throw .sessionRevoked }
        if now >= deadline(under: policy) { throw .sessionExpired }
    }

    /// Whether the session can be used: it was not revoked, and no lifetime is over.
    public func isAlive(at now: Instant, under policy: SessionPolicy) -> Bool {
        (try? checkAlive(at: now, under: policy)) != nil
    }

    /// When an access token issued now must expire: never later than the session itself.
    package func accessTokenExpiry(at now: Instant, under policy: SessionPolicy) -> Instant {
        min(now + policy.accessTokenLifetime, deadline(under: policy))
    }

    /// Ends the session. A second call does not change the reason or the time.
    /// - Returns: false when the session was revoked before.
    @discardableResult
    public mutating func revoke(_ reason: RevocationReason, at now: Instant) -> Bool {
        guard revocation == nil else { return false }
        revocation = Revocation(time: now, reason: reason)
        return true
    }

    mutating func touch(at now: Instant) {
        lastSeenAt = max(lastSeenAt, now)
    }

    /// Records activity at most once per `sightingInterval`, which limits the writes to the store.
    mutating func touchNowAndThen(at now: Instant, under policy: SessionPolicy) {
        if now - lastSeenAt >= policy.sightingInterval { touch(at: now) }
    }
}
