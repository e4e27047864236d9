import CloakroomCore
package import CloakroomTokens

extension SessionService {
    /// Renews in the course of a request whose access token has expired.
    ///
    /// - Throws: a `Denial`; `tokenInvalid` also for a token whose MAC is good but which this store never issued.
    package func renew(_ token: RefreshToken, expired: ExpiredAccess?) async throws -> Renewal {
        let refreshed = try await refresh(token, from: .cookie)
        guard refreshed.answer == .straggler else {
            return .renewed(try issue(refreshed.session, at: refreshed.time))
        }
        return .straggler(
            try expired.map {
                try issuer.accessToken(continuing: $0, tokenID: environment.random(16), at: refreshed.time)
            })
    }

    /// `POST /auth/refresh`: renews, and says what became of it.
    package func refresh(
        _ token: RefreshToken, presenting access: VerifiedAccess?, from carrier: Carrier
    ) async throws -> SessionGrant {
        let refreshed = try await refresh(token, from: carrier)
        guard let user = refreshed.owner else { throw Denial.sessionRevoked }
        guard refreshed.answer != .straggler else {
            return SessionGrant(
                user: user, session: refreshed.session, access: access, tokens: nil, isRotated: false)
        }
        let tokens = try issue(refreshed.session, at: refreshed.time)
        return SessionGrant(
            user: user, session: refreshed.session, access: tokens.access, tokens: tokens,
            isRotated: refreshed.session.generation != token.presented.generation)
    }

    /// How a refresh token came in. Script that got hold of one cannot turn cookie delivery into body delivery with it.
    package enum Carrier: Hashable, Sendable {
        case cookie
        case body(isFromBrowser: Bool)

        func fits(_ client: Client) -> Bool {
            switch self {
            case .cookie: client.delivery != .body
            case .body(let isFromBrowser): client.allowsBody(toBrowser: isFromBrowser)
            }
        }
    }

    struct Refreshed: Sendable {
        var session: Session
        /// nil for an account that is gone.
        var owner: User?
        var answer: RefreshAnswer
        var time: Instant
    }

    private func refresh(_ token: RefreshToken, from carrier: Carrier) async throws -> Refreshed {
        let policy = policy
        let key = refreshKeyID
        return try await change(token, from: carrier) { session, now in
            session.refresh(presenting: token.presented, at: now, under: policy, signingWith: key)
        }
    }

    /// Lets `decide` change the session that the token names, if the token is genuine and came the way that its client
    /// is served, and records what came of it.
    func change(
        _ token: RefreshToken, from carrier: Carrier,
        _ decide: @escaping @Sendable (inout Session, Instant) -> RefreshAnswer
    ) async throws -> Refreshed {
        let now = now
        guard now < token.expiresAt else { throw Denial.sessionExpired }
        let ring = issuer.ring.current
        let updated = try await store.updateWithOwner(token.session) { session -> Decided<Refreshed> in
            guard token.isGenuine(for: session, under: ring), carrier.fits(client(of: session)) else {
                return Decided(Refreshed(session: session, answer: .denied(.tokenInvalid), time: now))
            }
            let answer = decide(&session, now)
            return Decided(
                Refreshed(session: session, answer: answer, time: now),
                recording: SecurityEvent.events(for: answer, session, at: now).filter(\.kind.isRecorded))
        }
        // A row is swept only when it has long expired.
        guard let updated else { throw Denial.sessionExpired }
        var refreshed = updated.value
        refreshed.owner = updated.owner
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
            [
                SecurityEvent(
                    kind, at: now, subject: session.subject, session: session.id,
                    detail: "generation \(session.generation)")
            ]
        }
        switch answer {
        case .rotated: return event(.renewal)
        case .adopted: return event(.adoption)
        case .denied(.refreshTokenReused): return event(.reuse)
        case .refreshed, .reissued, .straggler, .denied: return []
        }
    }
}
