public import CloakroomCore

/// Which events of the record are wanted.
public struct EventQuery: Hashable, Sendable {
    /// Of one subject.
    public var subject: Subject?
    /// Of one session.
    public var session: SessionID?
    /// Of these kinds; empty for all.
    public var kinds: Set<SecurityEvent.Kind>
    /// From this time on.
    public var since: Instant?
    /// Before this time.
    public var until: Instant?

    /// All events, but for what is given.
    public init(
        subject: Subject? = nil, session: SessionID? = nil, kinds: Set<SecurityEvent.Kind> = [], since: Instant? = nil,
        until: Instant? = nil
    ) {
        self.subject = subject
        self.session = session
        self.kinds = kinds
        self.since = since
        self.until = until
    }
}

/// A place in the record of events. Only the store that made it can read it.
public struct EventCursor: Hashable, Sendable {
    /// What the store wrote.
    public let rawValue: String

    /// A place, for stores alone.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }
}

/// A part of the record, oldest first.
public struct EventPage: Sendable {
    /// The events; empty at the end of the record.
    public let events: [SecurityEvent]
    /// Where the next page begins.
    public let cursor: EventCursor

    /// A part of the record.
    public init(events: [SecurityEvent], cursor: EventCursor) {
        self.events = events
        self.cursor = cursor
    }
}
