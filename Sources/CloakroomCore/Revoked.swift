/// A session that was ended, as the feed tells it.
public struct Revoked: Hashable, Sendable {
    /// Which session.
    public let session: SessionID
    /// When the revocation was saved.
    public let time: Instant

    /// A session and when it was ended.
    public init(session: SessionID, time: Instant) {
        self.session = session
        self.time = time
    }
}
