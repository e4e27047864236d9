package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// Loads the session of a verified access token.
    /// - Parameters:
    ///   - held: the access token that the client holds.
    ///   - renewal: the result of a renewal within this request.
    package func current(
        _ access: VerifiedAccess, holding held: VerifiedAccess?, renewal: Renewal? = nil
    ) async throws -> SessionGrant {
        SessionGrant(session: try await aliveSession(access.session), access: held, renewal: renewal)
    }

    /// Loads the session of a cookie whose access token has expired. It does not renew, and does not count as
    /// activity.
    package func peek(_ token: RefreshToken) async throws -> SessionGrant {
        let session = try await aliveSession(token.session)
        guard token.isGenuine(for: session, under: issuer.keys.current) else { throw Denial.tokenInvalid }
        guard session.generation - token.presented.generation <= 1 else { throw Denial.tokenExpired }
        return SessionGrant(session: session, access: nil, renewal: nil)
    }

    /// Lists live sessions, newest first: at most `limit` after `cursor`.
    /// - Returns: the sessions, and the cursor of the next page; nil at the end.
    package func sessions(
        _ selection: SessionSelection, after cursor: SessionCursor? = nil, limit: Int
    ) async throws -> (sessions: [Session], next: SessionCursor?) {
        let page = SessionPage(after: cursor, limit: limit + 1, at: now, under: policy)
        let sessions = try await store.sessions(selection, page)
        let listed = Array(sessions.prefix(limit))
        return (listed, sessions.count > limit ? listed.last.map { SessionCursor(after: $0) } : nil)
    }

    /// How long a session can still be used without a further request, for a stream that stays open; or the reason
    /// against it.
    package func remaining(of id: SessionID) async throws -> Result<Span, Denial> {
        do {
            return .success(try await aliveSession(id).deadline(under: policy) - now)
        } catch let denial as Denial {
            return .failure(denial)
        }
    }

    func aliveSession(_ id: SessionID) async throws -> Session {
        guard !overdue.contains(id) else { throw Denial.sessionRevoked }
        guard let session = try await store.session(id) else { throw Denial.sessionExpired }
        guard !overdue.contains(session) else { throw Denial.sessionRevoked }
        try session.checkAlive(at: now, under: policy)
        return session
    }
}
