package import CloakroomCore
import CloakroomStores
package import CloakroomTokens
import Crypto
import Foundation

/// The wish of a host to get a session of its own.
package struct HandOverRequest: Hashable, Sendable {
    /// The origin of the receiving host.
    package let host: WebOrigin
    /// The digest of the flow cookie at the receiving host and of `startedAt`.
    package let flow: [UInt8]
    /// When the browser started at the receiving host.
    package let startedAt: Instant
    /// A path on the receiving host.
    package let returnTo: String
    /// Whether the user must have authenticated after the start.
    package let isStepUp: Bool

    package init(host: WebOrigin, flow: [UInt8], startedAt: Instant, returnTo: String, isStepUp: Bool) {
        self.host = host
        self.flow = flow
        self.startedAt = startedAt
        self.returnTo = returnTo
        self.isStepUp = isStepUp
    }
}

/// Sessions of hosts beside the login host.
extension SessionService {
    /// The answer of the login host to a request for a hand-over.
    package enum HandOverAnswer: Hashable, Sendable {
        case code(Secret)
        case stepUp
    }

    /// Makes a code with which the host of the request gets a session of its own.
    ///
    /// The refresh token decides, as in a renewal: a spent one ends the session.
    /// - Parameter token: that of the user's session at the login host.
    /// - Returns: the answer, and the tokens that the response must carry.
    /// - Throws: `Denial.sessionRevoked` and others if the session has ended; `.rateLimited`; the errors of `refresh`.
    package func handOver(
        _ request: HandOverRequest, by token: RefreshToken
    ) async throws -> (answer: HandOverAnswer, renewed: IssuedTokens?) {
        try handOvers.take(token.session, at: environment.uptime())
        let refreshed = try await present(token, for: request)
        let renewed: IssuedTokens? =
            switch try renewal(refreshed) {
            case .renewed(let tokens): tokens
            case .served: nil
            }
        let parent = refreshed.session
        let evidence = parent.factors(after: refreshed.answer, presenting: refreshed.generation)
        if request.isStepUp, evidence.authentication.time < request.startedAt { return (.stepUp, renewed) }
        let handOver = HandOver(
            parent: parent.id, host: request.host, flow: request.flow, startedAt: request.startedAt,
            returnTo: request.returnTo, evidence: evidence, point: parent.handOverPoint(after: refreshed.answer),
            sent: parent.generationSent(with: refreshed.answer))
        return (.code(try await code(for: handOver)), renewed)
    }

    private func present(_ token: RefreshToken, for request: HandOverRequest) async throws -> Refreshed {
        let (policy, key, now) = (rotationPolicy, refreshKeyID, now)
        guard now < token.expiresAt else { throw Denial.sessionExpired }
        let refreshed = try publish(
            await store.update(token.session) { session in
                decide(&session, presenting: token, from: .cookie, raising: nil, at: now) { session in
                    session.handOver(presenting: token.presented, at: now, under: policy, signingWith: key)
                }
            })
        try await learnKey(of: refreshed.session)
        return refreshed
    }

    private func code(for handOver: HandOver) async throws -> Secret {
        let code = Secret(environment.random(32))
        let entry = OneTimeEntry(
            key: Self.key(of: code), value: Array(try JSONEncoder().encode(handOver)),
            expiresAt: now + HandOver.lifetime)
        guard try await store.put(entry, at: now) else { throw Denial.unavailable(retryAfter: .seconds(1)) }
        return code
    }

    /// The request of a browser that comes back to the receiving host with a code.
    package struct Redemption: Sendable {
        let code: Secret
        let host: WebOrigin
        let flow: Secret?
        let held: RefreshToken?
        let device: Device

        /// - Parameters:
        ///   - flow: the flow cookie.
        ///   - held: the refresh token of the session that the browser has at this host.
        package init(code: Secret, at host: WebOrigin, flow: Secret?, holding held: RefreshToken?, from device: Device)
        {
            self.code = code
            self.host = host
            self.flow = flow
            self.held = held
            self.device = device
        }
    }

    /// The result of presenting a code.
    package enum Redeemed: Sendable {
        /// - `returnTo`: a path on the host.
        case begun(SessionGrant, returnTo: String)
        /// The browser has a session that was handed over from the same parent, with the same evidence.
        case kept(returnTo: String)
        /// - `returnTo`: for another try; nil if the code says none for this host.
        case refused(HandOver.Refusal, returnTo: String?)
    }

    /// Redeems a code, which is spent then, also if it is refused.
    package func redeem(_ redemption: Redemption) async throws -> Redeemed {
        guard let value = try await store.take(Self.key(of: redemption.code), at: now),
            let handOver = try? DocumentDecoder.decode(HandOver.self, from: value)
        else {
            // Only logged: any client can send codes that do not exist, and the record must not grow by them.
            publisher.log.write([refused(.unknownCode, nil, redemption)])
            return .refused(.unknownCode, returnTo: nil)
        }
        // Also if the code is refused: the response with the code had the cookie, and has arrived.
        try await confirm(handOver)
        let held = try await held(by: redemption.held)
        let parent = try await store.session(handOver.parent)
        let isKept =
            redemption.host.description == handOver.host && held.map { handOver.isSatisfied(by: $0) } == true
            && parent?.isAlive(at: now, under: policy) == true
        let flow = redemption.flow.map { Self.digest($0, startedAt: handOver.startedAt) }
        // The hand-over of another tab may have finished first. The session is there, and the code adds nothing to it.
        if !isKept, let refusal = handOver.refusal(at: redemption.host, flow: flow, holding: held, at: now) {
            return try await refuse(refusal, handOver, redemption)
        }
        guard let parent else { return try await refuse(.parentEnded, handOver, redemption) }
        if isKept { return .kept(returnTo: handOver.returnTo) }
        guard let grant = try await begin(handOver, of: parent, redemption) else {
            return try await refuse(.parentEnded, handOver, redemption)
        }
        return .begun(grant, returnTo: handOver.returnTo)
    }

    /// Confirms the generation that came with the code: the browser has stored the cookie of that response before it
    /// followed the redirect. A user may not open a page of the login host for weeks, and a generation that stays pending
    /// is sent again to a spent copy of the cookie.
    private func confirm(_ handOver: HandOver) async throws {
        guard let sent = handOver.sent else { return }
        let sighting = Sighting(session: handOver.parent, generation: sent, time: now)
        try await store.confirm([sighting], under: policy)
    }

    /// Begins the session of the host. It does not end another session of the same parent: a renewal of that one could
    /// be under way, and its cookie would then replace the new one.
    /// - Returns: nil if the parent has ended.
    private func begin(
        _ handOver: HandOver, of parent: Session, _ redemption: Redemption
    ) async throws -> SessionGrant? {
        let now = now
        var session = session(handOver, of: parent, redemption, at: now)
        let before = try await genuineSession(redemption.held)
        let start = SessionStart(
            session, credentialVersion: nil, replacing: before?.parent == parent.id ? nil : before?.id,
            maximumSessions: HandedOver.mostOfOneParent, policy: policy)
        let event = SecurityEvent(
            .handOver, at: now, subject: session.subject, session: session.id, address: redemption.device.address,
            details: .init(host: session.details.handedOver?.host, parent: parent.id))
        guard let begun = try await store.begin(start, recording: [event]) else { return nil }
        session.claims = publisher.publish(begun)
        let tokens = try issue(session, at: now)
        return SessionGrant(session: session, access: tokens.access, renewal: .renewed(tokens))
    }

    /// The tokens go into the cookie, also if a client with another delivery began the parent: the response is a
    /// redirect.
    private func session(
        _ handOver: HandOver, of parent: Session, _ redemption: Redemption, at now: Instant
    ) -> Session {
        Session(
            id: ids.next(environment.random(SessionIDs.randomSize)), subject: parent.subject,
            secret: Secret(environment.random(32)),
            refreshKey: refreshKeyID,
            details: Session.Details(
                client: .browser, login: parent.login, remembered: parent.remembered,
                userAgent: redemption.device.userAgent, address: redemption.device.address,
                evidence: handOver.evidence,
                handedOver: HandedOver(
                    parent: parent.id, host: redemption.host.authority, point: handOver.point)),
            at: now, under: policy, endingBy: parent.expiresAt)
    }

    /// The session at the login host from which a session was handed over; otherwise the session itself.
    package func root(of id: SessionID) async throws -> SessionID {
        try await store.session(id)?.parent ?? id
    }

    private func refuse(
        _ refusal: HandOver.Refusal, _ handOver: HandOver, _ redemption: Redemption
    ) async throws -> Redeemed {
        publisher.publish(try await store.record([refused(refusal, handOver, redemption)]))
        return .refused(refusal, returnTo: refusal == .otherHost ? nil : handOver.returnTo)
    }

    private func refused(
        _ refusal: HandOver.Refusal, _ handOver: HandOver?, _ redemption: Redemption
    ) -> SecurityEvent {
        SecurityEvent(
            .handOverRefused, at: now, address: redemption.device.address,
            details: .init(host: redemption.host.authority, parent: handOver?.parent, refusal: refusal))
    }

    /// The digest of a flow cookie and the time of a start, by which a code names the browser that started. Only that
    /// browser's host can make one for another time.
    package static func digest(_ flow: Secret, startedAt: Instant) -> [UInt8] {
        let time = withUnsafeBytes(of: startedAt.milliseconds.bigEndian) { Array($0) }
        return Array(SHA256.hash(data: flow.bytes + time))
    }

    private static func key(of code: Secret) -> OneTimeKey {
        OneTimeKey(purpose: "hand_over", digest: Array(SHA256.hash(data: code.bytes)))
    }
}
