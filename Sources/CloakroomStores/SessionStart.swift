public import CloakroomCore

/// A session to begin, and under what conditions.
public struct SessionStart: Sendable {
    /// The new session.
    public let session: Session
    /// The credential that was checked; nil for a subject whose account is kept elsewhere.
    public let credentialVersion: Int?
    /// The session that the new one replaces in the browser.
    public let replacing: SessionID?
    /// Where the subject is known from now on.
    public let network: NetworkAddress
    /// How many living sessions the subject may have, the new one included.
    public let maximumSessions: Int
    /// What a living session is.
    public let policy: SessionPolicy

    /// How many sessions one beginning ends at most, so that a limit that was lowered holds up nobody for long.
    public static let endedAtMost = 200

    /// A session to begin.
    public init(
        _ session: Session, credentialVersion: Int?, replacing: SessionID? = nil, maximumSessions: Int,
        policy: SessionPolicy
    ) {
        self.session = session
        self.credentialVersion = credentialVersion
        self.replacing = replacing
        network = NetworkAddress(of: session.details.address)
        self.maximumSessions = max(1, maximumSessions)
        self.policy = policy
    }
}
