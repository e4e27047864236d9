import CloakroomCore
public import CloakroomTokens

extension SessionService {
    /// Renews in the course of a request whose access token has expired.
    ///
    /// - Throws: a `Denial`; `tokenInvalid` also for a token whose MAC is good but which this store never issued.
    public func renew(_ token: RefreshToken) async throws -> Renewal {
        let refreshed = try await refresh(token)
        guard refreshed.answer != .straggler else { return .straggler }
        return .renewed(try issue(refreshed.session, at: refreshed.time))
    }

    /// `POST /auth/refresh`: renews, and says what became of it.
    public func refresh(_ token: RefreshToken, presenting access: VerifiedAccess?) async throws -> SessionGrant {
        let refreshed = try await refresh(token)
        let user = try await owner(of: refreshed.session)
        guard refreshed.answer != .straggler else {
            return SessionGrant(
                user: user, session: refreshed.session, access: access, tokens: nil, isRotated: false)
        }
        let tokens = try issue(refreshed.session, at: refreshed.time)
        return SessionGrant(
            user: user, session: refreshed.session, access: tokens.access, tokens: tokens,
            isRotated: refreshed.session.generation != token.presented.generation)
    }

    struct Refreshed: Sendable {
        var session: Session
        var answer: RefreshAnswer
        var time: Instant
    }

    private func refresh(_ token: RefreshToken) async throws -> Refreshed {
        let policy = policy
        let key = refreshKeyID
        return try await change(token) { session, now in
            session.refresh(presenting: token.presented, at: now, under: policy, signingWith: key)
        }
    }

    /// Lets `decide` change the session that the token names, if the token is genuine, and records what came of it.
    func change(
        _ token: RefreshToken, _ decide: @escaping @Sendable (inout Session, Instant) -> RefreshAnswer
    ) async throws -> Refreshed {
        let now = now
        guard now < token.expiresAt else { throw Denial.sessionExpired }
        let ring = issuer.ring.current
        let refreshed = try await store.update(token.session) { session -> Decided<Refreshed> in
            guard token.isGenuine(for: session, under: ring) else {
                return Decided(Refreshed(session: session, answer: .denied(.tokenInvalid), time: now))
            }
            let answer = decide(&session, now)
            return Decided(
                Refreshed(session: session, answer: answer, time: now),
                recording: SecurityEvent.events(for: answer, session, at: now))
        }
        // A row is swept only when it has long expired.
        guard let refreshed else { throw Denial.sessionExpired }
        log.write(SecurityEvent.events(for: refreshed.answer, refreshed.session, at: now))
        if case .denied(let denial) = refreshed.answer {
            if denial == .refreshTokenReused { announce([Revoked(session: token.session, time: now)]) }
            throw denial
        }
        return refreshed
    }

    func owner(of session: Session) async throws -> User {
        guard let user = try await store.user(session.subject) else { throw Denial.sessionRevoked }
        return user
    }
}

extension SecurityEvent {
    static func events(for answer: RefreshAnswer, _ session: Session, at now: Instant) -> [SecurityEvent] {
        func event(_ kind: Kind) -> [SecurityEvent] {
            [SecurityEvent(
                kind, at: now, subject: session.subject, session: session.id, detail: "generation \(session.generation)")]
        }
        switch answer {
        case .rotated: return event(.renewal)
        case .adopted: return event(.adoption)
        case .denied(.refreshTokenReused): return event(.reuse)
        case .refreshed, .reissued, .straggler, .denied: return []
        }
    }
}
