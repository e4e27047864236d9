package import CloakroomCore
package import CloakroomTokens

extension SessionService {
    /// What a request presents to raise its session or to change its account: a refresh token, or for a client that
    /// sends only an access token, that.
    package enum Presented: Sendable {
        case refresh(RefreshToken)
        case access(VerifiedAccess)

        package var session: SessionID {
            switch self {
            case .refresh(let token): token.session
            case .access(let access): access.session
            }
        }
    }

    /// Raises the session to a fresh `auth_time` for the account's password; always rotates.
    /// - Throws: `Denial.invalidCredentials` for a wrong password, and what `refresh` throws.
    package func stepUp(_ presented: Presented, password: Password, from device: Device) async throws -> SessionGrant {
        let user = try await reauthenticate(presented, password: password, from: device)
        return try await raise(presented, of: user, kind: .stepUp)
    }

    /// Checks the password of the account whose session is presented.
    func reauthenticate(_ presented: Presented, password: Password, from device: Device) async throws -> User {
        let session = try await aliveSession(presented)
        let owner = try await owner(of: session)
        let user = try await authenticate(
            owner.email, password, from: device, holding: session, failure: .stepUpFailed)
        guard let user else { throw Denial.invalidCredentials }
        return user
    }

    func raise(_ presented: Presented, of user: User, kind: SecurityEvent.Kind) async throws -> SessionGrant {
        let policy = policy
        let key = refreshKeyID
        let refreshed = try await change(presented) { session, presentedRefresh, now in
            session.stepUp(
                to: .password(at: now), presenting: presentedRefresh, at: now, under: policy, signingWith: key)
        }
        try await record([
            SecurityEvent(kind, at: refreshed.time, subject: user.subject, session: refreshed.session.id)
        ])
        let tokens = try issue(refreshed.session, at: refreshed.time)
        return SessionGrant(
            user: user, session: refreshed.session, access: tokens.access, tokens: tokens, isRotated: true)
    }

    private func aliveSession(_ presented: Presented) async throws -> Session {
        guard let session = try await store.session(presented.session) else { throw Denial.sessionExpired }
        if case .refresh(let token) = presented {
            guard token.isGenuine(for: session, under: issuer.ring.current) else { throw Denial.tokenInvalid }
        }
        try session.checkAlive(at: now, under: policy)
        return session
    }

    private func change(
        _ presented: Presented,
        _ decide: @escaping @Sendable (inout Session, PresentedRefresh, Instant) -> RefreshAnswer
    ) async throws -> Refreshed {
        switch presented {
        case .refresh(let token):
            return try await change(token, from: .cookie) { decide(&$0, token.presented, $1) }
        case .access(let access):
            let now = now
            let refreshed = try await store.update(access.session) { session -> Decided<Refreshed> in
                let answer = decide(&session, session.refreshHeld(byAccessOf: access.generation), now)
                return Decided(
                    Refreshed(session: session, answer: answer, time: now),
                    recording: SecurityEvent.events(for: answer, session, at: now))
            }
            guard let refreshed else { throw Denial.sessionExpired }
            if case .denied(let denial) = refreshed.answer { throw denial }
            return refreshed
        }
    }
}
