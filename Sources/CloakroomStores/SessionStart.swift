public import CloakroomCore

/// A session to save, and the conditions for it.
public struct SessionStart: Sendable {
    /// The new session.
    public let session: Session
    /// The version of the credential that was checked; nil if the app keeps the account itself.
    public let credentialVersion: Int?
    /// The claims of the subject from now on; nil leaves them as they are.
    public let claims: Claims?
    /// The session that the new one replaces in the browser.
    public let replacing: SessionID?
    /// The network that the store saves as familiar for the subject.
    public let network: NetworkAddress
    /// The maximum number of live sessions, including the new one: of the subject's sessions without a parent, or of
    /// those with the same parent.
    public let maximumSessions: Int
    /// The lifetimes that decide whether a session is alive.
    public let policy: SessionPolicy

    /// The maximum number of sessions that one `begin` ends, so that a login stays fast after the limit was lowered.
    public static let endedAtMost = 200

    /// Takes the network from the session's address. `maximumSessions` is at least 1.
    package init(
        _ session: Session, credentialVersion: Int?, claims: Claims? = nil, replacing: SessionID? = nil,
        maximumSessions: Int, policy: SessionPolicy
    ) {
        self.session = session
        self.credentialVersion = credentialVersion
        self.claims = claims
        self.replacing = replacing
        network = NetworkAddress(of: session.details.address)
        self.maximumSessions = max(1, maximumSessions)
        self.policy = policy
    }
}
