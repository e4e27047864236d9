public import CloakroomCore

/// A filter for the record of events. All conditions must match.
public struct EventQuery: Hashable, Sendable {
    /// Only events of this subject.
    public var subject: Subject?
    /// Only events of this session.
    public var session: SessionID?
    /// Only events of these kinds; empty for all.
    public var kinds: Set<SecurityEvent.Kind>
    /// Only events at or after this time.
    public var since: Instant?
    /// Only events before this time.
    public var until: Instant?

    /// Matches every event; set conditions to match fewer.
    public init() {
        kinds = []
    }

    package init(
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

/// A position in the record of events. Only the store that made it can read it.
public struct EventCursor: Hashable, Sendable {
    /// An opaque string of the store.
    public let rawValue: String

    /// For stores: wraps a position.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }
}

/// One page of the record, oldest event first.
public struct EventPage: Sendable {
    /// The events; empty at the end of the record.
    public let events: [SecurityEvent]
    /// The cursor for the next page: after the last row that was looked at, whether it matched or not.
    public let cursor: EventCursor

    /// Takes the events and the cursor after them.
    public init(events: [SecurityEvent], cursor: EventCursor) {
        self.events = events
        self.cursor = cursor
    }
}
