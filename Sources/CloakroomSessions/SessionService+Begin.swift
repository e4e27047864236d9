package import CloakroomCore
import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// Begins a new session, always with a new id (CVE-2023-29019: session fixation).
    /// - Throws: `Denial.invalidCredentials` when the credential that was proved has changed meanwhile, `.subjectBlocked`.
    package func begin(_ proof: Proof, _ request: SessionRequest) async throws -> SessionGrant {
        let now = now
        var session = session(proof, request, at: now)
        let start = SessionStart(
            session, credentialVersion: proof.credentialVersion, claims: request.claims,
            replacing: try await genuineSession(request.replacing)?.id, maximumSessions: maximumSessions, policy: policy
        )
        let login = SecurityEvent(
            .login, at: now, subject: proof.subject, session: session.id, address: request.device.address,
            details: .init(credential: proof.credential))
        guard let begun = try await store.begin(start, recording: [login]) else {
            throw try await store.isBlocked(proof.subject) ? Denial.subjectBlocked : .invalidCredentials
        }
        session.claims = publisher.publish(begun)
        let tokens = try issue(session, at: now)
        return SessionGrant(session: session, access: tokens.access, renewal: .renewed(tokens))
    }

    private func session(_ proof: Proof, _ request: SessionRequest, at now: Instant) -> Session {
        Session(
            id: ids.next(environment.random(SessionIDs.randomSize)), subject: proof.subject,
            secret: Secret(environment.random(32)),
            refreshKey: refreshKeyID,
            details: Session.Details(
                client: request.client.id, login: proof.login, remembered: request.remember,
                userAgent: request.device.userAgent, address: request.device.address, evidence: proof.evidence),
            at: now, under: policy)
    }

    /// Returns the live session of `token`, if that is the current refresh token or the one before. The cookie of an
    /// ended session and a spent token prove nothing about the requester.
    package func held(by token: RefreshToken?) async throws -> Session? {
        guard let token, let session = try await genuineSession(token),
            session.generation - token.presented.generation <= 1
        else { return nil }
        return (try? session.checkAlive(at: now, under: policy)).map { session }
    }

    func genuineSession(_ token: RefreshToken?) async throws -> Session? {
        guard let token, let session = try await store.session(token.session),
            token.isGenuine(for: session, under: issuer.keys.current)
        else { return nil }
        return session
    }
}
