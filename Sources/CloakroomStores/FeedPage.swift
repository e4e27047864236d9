public import CloakroomCore

/// One page of the feed of revocations, in the order of their commits.
public struct FeedPage: Sendable {
    /// Identifies one history of the store. A restore from a backup starts a new epoch: a reader that finds a new epoch
    /// must drop its cursor and read the feed from its start.
    public let epoch: Int64
    /// The revocations.
    public let revoked: [Revoked]
    /// The subjects whose access tokens are stale.
    public let stale: [StaleMark]
    /// The cursor for the next page.
    public let cursor: FeedCursor

    /// Whether this is the end of the feed.
    public var isEmpty: Bool { revoked.isEmpty && stale.isEmpty }

    /// Takes the epoch, the entries and the cursor after them.
    public init(epoch: Int64, revoked: [Revoked], stale: [StaleMark] = [], cursor: FeedCursor) {
        self.epoch = epoch
        self.revoked = revoked
        self.stale = stale
        self.cursor = cursor
    }
}

/// A position in the feed of revocations. Only the store that made it can read it: one store uses a sequence number;
/// a store whose sequence numbers do not commit in order uses a snapshot of transactions.
public struct FeedCursor: Hashable, Sendable {
    /// An opaque string of the store.
    public let rawValue: String

    /// For stores: wraps a position.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }
}
