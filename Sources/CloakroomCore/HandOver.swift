/// What a code stands for with which a host gets a session of its own: the entry that the login host makes, and the
/// receiving host redeems (`docs/several-hosts.md`).
package struct HandOver: Hashable, Sendable, Codable {
    /// The session at the login host.
    package let parent: SessionID
    /// The origin of the receiving host.
    package let host: String
    /// The digest of the flow cookie at the receiving host and of `startedAt`.
    package let flow: [UInt8]
    /// When the browser started at the receiving host.
    package let startedAt: Instant
    /// A path on the receiving host.
    package let returnTo: String
    /// The factors that the user has presented in the parent session.
    package let evidence: Evidence
    /// The state of the parent when it made the code.
    package let point: HandOverPoint
    /// The generation of the parent that the response with the code sent; nil if it sent none. The redemption confirms
    /// it: a generation that stays pending would let a spent copy of the cookie get it.
    package let sent: Int?

    package init(
        parent: SessionID, host: WebOrigin, flow: [UInt8], startedAt: Instant, returnTo: String, evidence: Evidence,
        point: HandOverPoint, sent: Int?
    ) {
        self.parent = parent
        self.host = host.description
        self.flow = flow
        self.startedAt = startedAt
        self.returnTo = returnTo
        self.evidence = evidence
        self.point = point
        self.sent = sent
    }

    /// From issue to redemption: the time of one redirect.
    package static let lifetime = Span.seconds(60)
    /// From the start to the redemption: the time for a login at the login host.
    package static let longestFlow = Span.minutes(10)

    /// Why a code is refused, by its name in the record of events.
    package enum Refusal: String, Hashable, Sendable, Codable {
        /// There is no such code: it was made up, used before, or has expired.
        case unknownCode = "unknown_code"
        /// The code is for another host.
        case otherHost = "other_host"
        /// The request lacks the flow cookie of the browser that started, or that start is over. An attacker's code in a
        /// victim's browser would log the victim in as the attacker (login CSRF).
        case otherBrowser = "other_browser"
        /// The session at the login host has ended.
        case parentEnded = "parent_ended"
    }

    /// The reason against redeeming the code at this host.
    /// - Parameters:
    ///   - presented: the digest of the flow cookie in the request and of `startedAt`.
    ///   - held: the live session that the browser has at the host. Its beginning ended all earlier starts: the URL of one
    ///     may have come into other hands since, with which an attacker gets a code for another account.
    package func refusal(
        at host: WebOrigin, flow presented: [UInt8]?, holding held: Session?, at now: Instant
    ) -> Refusal? {
        guard host.description == self.host else { return .otherHost }
        guard let presented, constantTimeEqual(presented, flow), now < startedAt + Self.longestFlow,
            held.map({ $0.createdAt <= startedAt }) ?? true
        else { return .otherBrowser }
        return nil
    }

    /// Whether a session that was handed over before makes this hand-over needless.
    package func isSatisfied(by session: Session) -> Bool {
        let (held, offered) = (session.authentication, evidence.authentication)
        return session.parent == parent && held.level >= offered.level && held.time >= offered.time
    }
}
