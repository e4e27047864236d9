package import CloakroomCore
import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// Renews the session within a request whose access token has expired.
    ///
    /// - Throws: a `Denial`; `tokenInvalid` also for a token with a valid MAC that this store never issued.
    package func renew(_ half: SessionTokens.RefreshHalf, at host: SessionHost) async throws -> Renewal {
        try renewal(await refresh(read(refreshToken: half.bytes.bytes, at: host), from: .cookie))
    }

    /// `POST /auth/refresh`: renews the session, and reports the result.
    /// - Parameter access: the access token that the client sent with the refresh token, of any age.
    package func refresh(
        _ token: RefreshToken, presenting access: VerifiedAccess?, from carrier: Carrier
    ) async throws -> SessionGrant {
        let refreshed = try await refresh(token, from: carrier)
        return SessionGrant(session: refreshed.session, access: access, renewal: try renewal(refreshed))
    }

    func renewal(_ refreshed: Refreshed) throws -> Renewal {
        let (session, now) = (refreshed.session, refreshed.time)
        switch refreshed.answer {
        case .rotated, .reissued:
            return .renewed(try issue(session, at: now))
        case .served, .straggler, .adopted:
            return .served(
                ServedAccess(
                    access: try issueAccess(session, generation: refreshed.generation, at: now),
                    delivery: client(of: session).delivery,
                    renewableIn: session.renewableIn(at: now, under: policy)))
        case .postponed(let span):
            throw Denial.unavailable(retryAfter: span)
        case .denied(let denial):
            throw denial
        }
    }

    /// The part of the request that carried a refresh token. A script that stole a token from a cookie cannot get
    /// body delivery with it.
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

    /// The result of presenting a refresh token.
    package struct Refreshed: Sendable {
        var session: Session
        package var answer: RefreshAnswer
        /// The generation that the client presented.
        var generation: Int
        var time: Instant
    }

    func refresh(_ token: RefreshToken, from carrier: Carrier) async throws -> Refreshed {
        let (policy, key, now) = (rotationPolicy, refreshKeyID, now)
        guard now < token.expiresAt else { throw Denial.sessionExpired }
        let refreshed = try publish(
            await store.update(token.session) { session in
                decide(&session, presenting: token, from: carrier, raising: nil, at: now) { session in
                    session.refresh(presenting: token.presented, at: now, under: policy, signingWith: key)
                }
            })
        try await learnKey(of: refreshed.session)
        return refreshed
    }

    /// Runs `decide` on the session, if the token is genuine and its carrier fits the client's delivery.
    func decide(
        _ session: inout Session, presenting token: RefreshToken, from carrier: Carrier,
        raising kind: SecurityEvent.Kind?, by credential: CredentialID? = nil, at now: Instant,
        _ decide: (inout Session) -> RefreshAnswer
    ) -> Decided<Refreshed> {
        let isWelcome = token.isGenuine(for: session, under: issuer.keys.current) && carrier.fits(client(of: session))
        let answer: RefreshAnswer =
            if overdue.contains(session) {
                .denied(.sessionRevoked)
            } else {
                isWelcome ? decide(&session) : .denied(.tokenInvalid)
            }
        return Decided(
            Refreshed(session: session, answer: answer, generation: token.presented.generation, time: now),
            recording: SecurityEvent.events(for: answer, session, raising: kind, by: credential, at: now))
    }

    /// Publishes the commit.
    /// - Throws: the denial of the answer, if it is one; `sessionExpired` when the session does not exist: the
    ///   sweeper deletes a row only long after it has expired.
    func publish(_ committed: Committed<Refreshed>?) throws(Denial) -> Refreshed {
        guard let committed else { throw .sessionExpired }
        let refreshed = publisher.publish(committed)
        if case .denied(let denial) = refreshed.answer { throw denial }
        return refreshed
    }
}

extension SecurityEvent {
    /// The events to record for an answer.
    /// - Parameters:
    ///   - kind: the event besides `renewal` that a new generation records, such as `stepUp`.
    ///   - credential: that of the backend that raised the session.
    static func events(
        for answer: RefreshAnswer, _ session: Session, raising kind: Kind?, by credential: CredentialID? = nil,
        at now: Instant
    ) -> [SecurityEvent] {
        func events(_ kinds: Kind?...) -> [SecurityEvent] {
            kinds.compactMap { $0 }.map { kind in
                SecurityEvent(
                    kind, at: now, subject: session.subject, session: session.id,
                    details: Details(generation: session.generation, credential: credential))
            }
        }
        switch answer {
        case .rotated: return events(.renewal, kind)
        case .reissued: return events(kind)
        case .adopted: return events(.adoption)
        case .denied(.refreshTokenReused): return events(.reuse)
        case .served, .straggler, .postponed, .denied: return []
        }
    }
}
