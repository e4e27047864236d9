package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// What a live access token stands for.
    /// - Parameters:
    ///   - held: the access token that the client holds.
    ///   - renewal: what came of renewing it on the way.
    package func current(
        _ access: VerifiedAccess, holding held: VerifiedAccess?, renewal: Renewal? = nil
    ) async throws -> SessionGrant {
        SessionGrant(session: try await aliveSession(access.session), access: held, renewal: renewal)
    }

    /// What a cookie stands for whose access token has expired, without renewing it and without counting as activity.
    package func peek(_ token: RefreshToken) async throws -> SessionGrant {
        let session = try await aliveSession(token.session)
        guard token.isGenuine(for: session, under: issuer.keys.current) else { throw Denial.tokenInvalid }
        guard session.generation - token.presented.generation <= 1 else { throw Denial.tokenExpired }
        return SessionGrant(session: session, access: nil, renewal: nil)
    }

    /// Living sessions, newest first: at most `limit` that come after `cursor`.
    /// - Returns: the sessions, and where the next page begins, while there is more.
    package func sessions(
        _ selection: SessionSelection, after cursor: SessionCursor? = nil, limit: Int
    ) async throws -> (sessions: [Session], next: SessionCursor?) {
        let page = SessionPage(after: cursor, limit: limit + 1, at: now, under: policy)
        let sessions = try await store.sessions(selection, page)
        let listed = Array(sessions.prefix(limit))
        return (listed, sessions.count > limit ? listed.last.map { SessionCursor(after: $0) } : nil)
    }

    private func aliveSession(_ id: SessionID) async throws -> Session {
        guard !overdue.contains(id) else { throw Denial.sessionRevoked }
        guard let session = try await store.session(id) else { throw Denial.sessionExpired }
        try session.checkAlive(at: now, under: policy)
        return session
    }
}
