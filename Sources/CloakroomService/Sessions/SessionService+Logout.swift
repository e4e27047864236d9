import CloakroomCore
import CloakroomTokens

extension SessionService {
    /// Ends the session that is presented. The end is durable before this returns (authorizer #669).
    ///
    /// A token that is not genuine ends nothing (CVE-2025-71402), a spent one does: whoever holds it may log out.
    package func logout(_ presented: Presented) async throws {
        let now = now
        let keys = issuer.keys.current
        let revoked = try await store.update(presented.session) { session -> Decided<Bool> in
            if case .refresh(let token) = presented, !token.isGenuine(for: session, under: keys) {
                return Decided(false)
            }
            guard session.revoke(.logout, at: now) else { return Decided(false) }
            return Decided(true, recording: [.revocation(of: session, at: now)])
        }
        guard revoked == true else { return }
        announce([Revoked(session: presented.session, time: now)])
        log.write([SecurityEvent(.revocation, at: now, session: presented.session, detail: "logout")])
    }
}

extension SecurityEvent {
    static func revocation(of session: Session, at now: Instant) -> SecurityEvent {
        SecurityEvent(
            .revocation, at: now, subject: session.subject, session: session.id,
            detail: session.revocation?.reason.rawValue)
    }
}
