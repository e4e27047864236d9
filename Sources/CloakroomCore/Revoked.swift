/// One entry of the feed of revocations.
public struct Revoked: Hashable, Sendable {
    /// The revoked session.
    public let session: SessionID
    /// When the store saved the revocation.
    public let time: Instant

    /// Takes the session and the time of its revocation.
    public init(session: SessionID, time: Instant) {
        self.session = session
        self.time = time
    }
}
