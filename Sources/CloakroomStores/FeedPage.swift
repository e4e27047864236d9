public import CloakroomCore

/// A part of the feed of revocations, in the order in which they were committed.
public struct FeedPage: Sendable {
    /// Names one history of the store. A store that goes back to a backup begins another epoch: a reader that finds one
    /// must drop its cursor and read the feed from its start.
    public let epoch: Int64
    /// What was revoked; empty at the end of the feed.
    public let revoked: [Revoked]
    /// Where the next page begins.
    public let cursor: FeedCursor

    /// A part of the feed.
    public init(epoch: Int64, revoked: [Revoked], cursor: FeedCursor) {
        self.epoch = epoch
        self.revoked = revoked
        self.cursor = cursor
    }
}

/// A place in the feed of revocations. Only the store that made it can read it: a number in one store, a snapshot of
/// transactions in another, where numbers are not committed in their order.
public struct FeedCursor: Hashable, Sendable {
    /// What the store wrote.
    public let rawValue: String

    /// A place, for stores alone.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }
}
