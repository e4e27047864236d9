package import CloakroomCore
package import CloakroomTokens

extension SessionService {
    /// What a request presents to raise its session or to change its account: a refresh token, or for a client that
    /// sends only an access token, that.
    package enum Presented: Sendable {
        case refresh(RefreshToken)
        /// From a browser where it shows signs of one: no browser earns a refresh token of `body` delivery by it.
        case access(VerifiedAccess, isFromBrowser: Bool = false)

        package var session: SessionID {
            switch self {
            case .refresh(let token): token.session
            case .access(let access, _): access.session
            }
        }
    }

    /// Raises the session to a fresh `auth_time` for the account's password; always to a newer generation.
    /// - Throws: `Denial.invalidCredentials` for a wrong password, `.unavailable` where an answer under way could
    ///   overtake this one, and what `refresh` throws.
    package func stepUp(_ presented: Presented, password: Password, from device: Device) async throws -> SessionGrant {
        let user = try await reauthenticate(presented, password: password, from: device)
        let (policy, key, now) = (policy, refreshKeyID, now)
        let updated = try await store.update(presented.session) { session -> Decided<Refreshed> in
            decided(&session, presenting: presented, raising: .stepUp, at: now) { session, held in
                session.stepUp(
                    to: .password(at: now), presenting: held, at: now, under: policy, signingWith: key)
            }
        }
        guard let updated else { throw Denial.sessionExpired }
        return try grant(settle(updated, raising: .stepUp), user)
    }

    /// Checks the password of the account whose session is presented.
    func reauthenticate(_ presented: Presented, password: Password, from device: Device) async throws -> User {
        let session = try await aliveSession(presented)
        try await endIfSpent(presented, session)
        let owner = try await owner(of: session)
        let user = try await authenticate(
            owner.email, password, from: device, holding: session, failure: .stepUpFailed)
        guard let user else { throw Denial.invalidCredentials }
        return user
    }

    /// A spent refresh token ends its session before any password is looked at: it must be worth no guess.
    private func endIfSpent(_ presented: Presented, _ session: Session) async throws {
        guard case .refresh(let token) = presented else { return }
        var copy = session
        let answer = copy.refresh(
            presenting: token.presented, at: now, under: policy, signingWith: refreshKeyID)
        guard answer == .denied(.refreshTokenReused) else { return }
        _ = try await refresh(token, presenting: nil, from: .cookie)
    }

    /// As for a refresh token, or for a live access token with the refresh token that its holder is taken to have.
    func decided(
        _ session: inout Session, presenting presented: Presented, raising kind: SecurityEvent.Kind, at now: Instant,
        _ decide: (inout Session, PresentedRefresh) -> RefreshAnswer
    ) -> Decided<Refreshed> {
        switch presented {
        case .refresh(let token):
            return decided(&session, presenting: token, from: .cookie, raising: kind, at: now) {
                decide(&$0, token.presented)
            }
        case .access(let access, let isFromBrowser):
            let held = session.refreshHeld(byAccessOf: access.generation, at: now, under: policy)
            let client = client(of: session)
            let isWelcome = client.delivery != .body || client.allowsBody(toBrowser: isFromBrowser)
            let answer = isWelcome ? decide(&session, held) : .denied(.tokenInvalid)
            return Decided(
                Refreshed(session: session, answer: answer, generation: held.generation, time: now),
                recording: SecurityEvent.events(for: answer, session, raising: kind, at: now)
                    .filter(\.kind.isRecorded))
        }
    }

    /// A raised session is handed out at a newer generation or not at all.
    func grant(_ refreshed: Refreshed, _ user: User) throws -> SessionGrant {
        let renewal = try renewal(refreshed)
        guard case .renewed(let tokens) = renewal else {
            throw Denial.unavailable(retryAfter: refreshed.session.renewableIn(at: refreshed.time, under: policy))
        }
        return SessionGrant(user: user, session: refreshed.session, access: tokens.access, renewal: renewal)
    }

    private func aliveSession(_ presented: Presented) async throws -> Session {
        guard let session = try await store.session(presented.session) else { throw Denial.sessionExpired }
        if case .refresh(let token) = presented {
            guard token.isGenuine(for: session, under: issuer.keys.current) else { throw Denial.tokenInvalid }
        }
        try session.checkAlive(at: now, under: policy)
        return session
    }
}
