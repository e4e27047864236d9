public import CloakroomCore

/// A part of a list of living sessions, newest first.
public struct SessionPage: Sendable {
    /// The last session of the page before; nil for the first page.
    public let after: SessionCursor?
    /// How many sessions at most.
    public let limit: Int
    /// When a session must be alive to be listed.
    public let time: Instant
    /// What a living session is.
    public let policy: SessionPolicy

    /// A part of a list.
    public init(after: SessionCursor? = nil, limit: Int, at time: Instant, under policy: SessionPolicy) {
        self.after = after
        self.limit = limit
        self.time = time
        self.policy = policy
    }
}

/// A place in a list of sessions. It stays good when the session that it was made of ends.
public struct SessionCursor: Hashable, Sendable {
    /// When the session began.
    public let createdAt: Instant
    /// Tells apart sessions that began at the same time.
    public let id: SessionID

    /// The place right after this session.
    public init(after session: Session) {
        self.init(createdAt: session.createdAt, id: session.id)
    }

    package init(createdAt: Instant, id: SessionID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Whether the session comes after this place.
    public func isBefore(_ session: Session) -> Bool {
        session.createdAt < createdAt || session.createdAt == createdAt && id.rawValue < session.id.rawValue
    }
}
