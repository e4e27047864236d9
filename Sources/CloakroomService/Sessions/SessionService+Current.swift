package import CloakroomCore
package import CloakroomTokens

extension SessionService {
    /// What a live access token stands for.
    /// - Parameters:
    ///   - held: the access token that the client holds.
    ///   - renewal: what came of renewing it on the way.
    package func current(
        _ access: VerifiedAccess, holding held: VerifiedAccess?, renewal: Renewal? = nil
    ) async throws -> SessionGrant {
        let session = try await aliveSession(access.session)
        return SessionGrant(user: try await owner(of: session), session: session, access: held, renewal: renewal)
    }

    /// What a cookie stands for whose access token has expired, without renewing it and without counting as activity.
    package func peek(_ token: RefreshToken) async throws -> SessionGrant {
        let session = try await aliveSession(token.session)
        guard token.isGenuine(for: session, under: issuer.keys.current) else { throw Denial.tokenInvalid }
        guard session.generation - token.presented.generation <= 1 else { throw Denial.tokenExpired }
        return SessionGrant(user: try await owner(of: session), session: session, access: nil, renewal: nil)
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
