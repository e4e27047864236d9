public import CloakroomCore

/// The request for one page of a list of live sessions, newest first.
public struct SessionPage: Sendable {
    /// The last session of the previous page; nil for the first page.
    public let after: SessionCursor?
    /// The maximum number of sessions.
    public let limit: Int
    /// The list contains the sessions that are alive at this time.
    public let time: Instant
    /// The lifetimes that decide whether a session is alive.
    public let policy: SessionPolicy

    package init(after: SessionCursor? = nil, limit: Int, at time: Instant, under policy: SessionPolicy) {
        self.after = after
        self.limit = limit
        self.time = time
        self.policy = policy
    }
}

/// A position in a list of sessions. It stays valid when the session at that position ends.
public struct SessionCursor: Hashable, Sendable {
    /// When the session started.
    public let createdAt: Instant
    /// Orders sessions that started at the same time.
    public let id: SessionID

    /// The position right after this session.
    package init(after session: Session) {
        self.init(createdAt: session.createdAt, id: session.id)
    }

    package init(createdAt: Instant, id: SessionID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Whether the session comes after this position.
    public func isBefore(_ session: Session) -> Bool {
        session.createdAt < createdAt || session.createdAt == createdAt && id.rawValue < session.id.rawValue
    }
}
