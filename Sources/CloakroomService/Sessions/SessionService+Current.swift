package import CloakroomCore
package import CloakroomTokens

extension SessionService {
    /// What a live access token stands for.
    package func current(_ access: VerifiedAccess, tokens: IssuedTokens? = nil) async throws -> SessionGrant {
        let session = try await aliveSession(access.session)
        return SessionGrant(
            user: try await owner(of: session), session: session, access: access, tokens: tokens,
            isRotated: tokens != nil)
    }

    /// What a cookie stands for whose access token has expired, without renewing it and without counting as activity.
    package func peek(_ token: RefreshToken) async throws -> SessionGrant {
        let session = try await aliveSession(token.session)
        guard token.isGenuine(for: session, under: issuer.ring.current) else { throw Denial.tokenInvalid }
        guard session.generation - token.presented.generation <= 1 else { throw Denial.tokenExpired }
        return SessionGrant(
            user: try await owner(of: session), session: session, access: nil, tokens: nil, isRotated: false)
    }

    /// The subject's live sessions, newest first.
    package func list(of subject: Subject) async throws -> [Session] {
        let now = now
        return try await store.sessions(of: subject).filter { session in
            (try? session.checkAlive(at: now, under: policy)) != nil
        }
    }

    private func aliveSession(_ id: SessionID) async throws -> Session {
        guard let session = try await store.session(id) else { throw Denial.sessionExpired }
        try session.checkAlive(at: now, under: policy)
        return session
    }
}
