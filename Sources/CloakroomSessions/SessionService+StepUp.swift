package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// The token that a request presents to raise its session or to change its account: a refresh token, or an access
    /// token if the client sends only that.
    package enum Presented: Sendable {
        case refresh(RefreshToken)
        /// `isFromBrowser` is true when the request shows signs of a browser. A browser cannot get a refresh token of
        /// `body` delivery by presenting an access token.
        case access(VerifiedAccess, isFromBrowser: Bool = false)

        package var session: SessionID {
            switch self {
            case .refresh(let token): token.session
            case .access(let access, _): access.session
            }
        }
    }

    /// Adds the evidence of `proof` to the session, and always issues a newer generation.
    /// - Throws: `Denial.invalidCredentials` when the credential that was proved has changed meanwhile, `.unavailable` when
    ///   a response that is still in transit could overtake this one, and the errors of `refresh`.
    package func stepUp(_ presented: Presented, with proof: Proof) async throws -> SessionGrant {
        let now = now
        let raised = try await store.update(presented.session, checking: proof.credentialVersion) { session in
            raise(&session, presented, with: proof, recording: .stepUp, at: now)
        }
        // The password was changed after the check, so the proof is of the old password.
        guard let raised else { throw Denial.invalidCredentials }
        return try await grant(raised)
    }

    /// Returns the live session of the presented token, for a prover that must know whose password to check. A spent
    /// refresh token ends its session here, before any password check, so that a stolen token allows no guess.
    package func session(_ presented: Presented) async throws -> Session {
        let session = try await aliveSession(presented)
        guard case .refresh(let token) = presented else { return session }
        var copy = session
        let answer = copy.refresh(
            presenting: token.presented, at: now, under: rotationPolicy, signingWith: refreshKeyID)
        if answer == .denied(.refreshTokenReused) { _ = try await refresh(token, from: .cookie) }
        return session
    }

    /// The pure decision of `stepUp`, for a change of the account in the same transaction.
    /// - Parameter kind: the event that is recorded.
    package func raise(
        _ session: inout Session, _ presented: Presented, with proof: Proof, recording kind: SecurityEvent.Kind,
        at now: Instant
    ) -> Decided<Refreshed> {
        let (policy, key) = (rotationPolicy, refreshKeyID)
        func decide(_ session: inout Session, _ held: PresentedRefresh) -> RefreshAnswer {
            guard session.subject == proof.subject else { return .denied(.invalidCredentials) }
            return session.stepUp(with: proof.evidence, presenting: held, at: now, under: policy, signingWith: key)
        }
        switch presented {
        case .refresh(let token):
            return self.decide(&session, presenting: token, from: .cookie, raising: kind, by: proof.credential, at: now)
            {
                session in
                decide(&session, token.presented)
            }
        case .access(let access, let isFromBrowser):
            let held = session.refreshHeld(byAccessOf: access.generation, at: now, under: policy)
            let client = client(of: session)
            let isWelcome = client.delivery != .body || client.allowsBody(toBrowser: isFromBrowser)
            let answer = isWelcome ? decide(&session, held) : .denied(.tokenInvalid)
            return Decided(
                Refreshed(session: session, answer: answer, generation: held.generation, time: now),
                recording: SecurityEvent.events(for: answer, session, raising: kind, by: proof.credential, at: now))
        }
    }

    /// Publishes a step-up and returns its grant. A step-up that did not produce a newer generation fails with
    /// `Denial.unavailable`.
    package func grant(_ committed: Committed<Refreshed>?) async throws -> SessionGrant {
        let refreshed = try publish(committed)
        try await learnKey(of: refreshed.session)
        let renewal = try renewal(refreshed)
        guard case .renewed(let tokens) = renewal else {
            throw Denial.unavailable(retryAfter: refreshed.session.renewableIn(at: refreshed.time, under: policy))
        }
        return SessionGrant(session: refreshed.session, access: tokens.access, renewal: renewal)
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
