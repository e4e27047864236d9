public import CloakroomCore

/// An event for security reviews: a log line and a row of the append-only record.
///
/// It names accounts and sessions by their ids and carries no token, password, cookie or address that a user typed
/// (users type passwords into the wrong field).
public struct SecurityEvent: Hashable, Sendable {
    /// What happened.
    public let kind: Kind
    /// When it happened.
    public let time: Instant
    /// The account, if known.
    public let subject: Subject?
    /// The session; nil if the event concerns none.
    public let session: SessionID?
    /// The network address of the client, if recorded.
    public let address: String?
    /// Fields that only some kinds have.
    public let details: Details

    /// Takes the kind, the time and what is known.
    public init(
        _ kind: Kind, at time: Instant, subject: Subject? = nil, session: SessionID? = nil, address: String? = nil,
        details: Details = Details()
    ) {
        self.kind = kind
        self.time = time
        self.subject = subject
        self.session = session
        self.address = address
        self.details = details
    }

    /// The event of a revocation.
    public static func revocation(
        of session: SessionID, subject: Subject, reason: RevocationReason, by credential: CredentialID? = nil,
        at time: Instant
    ) -> SecurityEvent {
        SecurityEvent(
            .revocation, at: time, subject: subject, session: session,
            details: Details(reason: reason, credential: credential))
    }
}

extension SecurityEvent {
    /// The known fields of the event besides its kind and time, by their names in the record.
    package var facts: [(name: String, value: Details.Value)] {
        let all = [("subject", subject?.rawValue), ("session", session?.rawValue), ("ip", address)]
        return all.compactMap { name, value in value.map { (name, .text($0)) } } + details.named
    }
}
