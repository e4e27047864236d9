package import CloakroomCore
package import CloakroomStores
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

    /// Raises the session by what was proved just now; always to a newer generation.
    /// - Throws: `Denial.invalidCredentials` when the credential that was proved has changed meanwhile, `.unavailable` where
    ///   an answer under way could overtake this one, and what `refresh` throws.
    package func stepUp(_ presented: Presented, with proof: Proof) async throws -> SessionGrant {
        let now = now
        let raised = try await store.update(presented.session, checking: proof.credentialVersion) { session in
            raise(&session, presented, with: proof, recording: .stepUp, at: now)
        }
        // The password was changed meanwhile: what was proved is the old one.
        guard let raised else { throw Denial.invalidCredentials }
        return try grant(raised)
    }

    /// The living session that is presented, for a prover that wants to know whose password to ask for. A spent refresh
    /// token ends its session here, before a password is looked at: it must be worth no guess.
    package func session(_ presented: Presented) async throws -> Session {
        let session = try await aliveSession(presented)
        guard case .refresh(let token) = presented else { return session }
        var copy = session
        let answer = copy.refresh(presenting: token.presented, at: now, under: policy, signingWith: refreshKeyID)
        if answer == .denied(.refreshTokenReused) { _ = try await refresh(token, from: .cookie) }
        return session
    }

    /// The pure decision of `stepUp`, for a change of the account in the same transaction.
    /// - Parameter kind: what is on record of it.
    package func raise(
        _ session: inout Session, _ presented: Presented, with proof: Proof, recording kind: SecurityEvent.Kind,
        at now: Instant
    ) -> Decided<Refreshed> {
        let (policy, key) = (policy, refreshKeyID)
        func decide(_ session: inout Session, _ held: PresentedRefresh) -> RefreshAnswer {
            guard session.subject == proof.subject else { return .denied(.invalidCredentials) }
            return session.stepUp(with: proof.evidence, presenting: held, at: now, under: policy, signingWith: key)
        }
        switch presented {
        case .refresh(let token):
            return self.decide(&session, presenting: token, from: .cookie, raising: kind, at: now) { session in
                decide(&session, token.presented)
            }
        case .access(let access, let isFromBrowser):
            let held = session.refreshHeld(byAccessOf: access.generation, at: now, under: policy)
            let client = client(of: session)
            let isWelcome = client.delivery != .body || client.allowsBody(toBrowser: isFromBrowser)
            let answer = isWelcome ? decide(&session, held) : .denied(.tokenInvalid)
            return Decided(
                Refreshed(session: session, answer: answer, generation: held.generation, time: now),
                recording: SecurityEvent.events(for: answer, session, raising: kind, at: now))
        }
    }

    /// A raised session is handed out at a newer generation or not at all.
    package func grant(_ committed: Committed<Refreshed>?) throws -> SessionGrant {
        let refreshed = try publish(committed)
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

extension RefreshAnswer {
    /// Whether the answer carries a newer refresh token.
    package var handsOutTokens: Bool {
        switch self {
        case .rotated, .reissued: true
        case .served, .straggler, .adopted, .postponed, .denied: false
        }
    }
}
