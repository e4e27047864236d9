public import CloakroomCore

/// One page of the feed of revocations, in the order of their commits.
public struct FeedPage: Sendable {
    /// Whether this page is the first of the feed. It is also the answer to a cursor that is malformed, or that belongs to
    /// a history which the store does not have: it was restored, or a failover lost its last commits. A reader that passed
    /// a cursor then knows revocations that the store has lost, and the store may have others that the reader passed over.
    public let isStart: Bool
    /// The revocations.
    public let revoked: [Revoked]
    /// The subjects whose access tokens are stale.
    public let stale: [StaleMark]
    /// The cursor for the next page.
    public let cursor: FeedCursor
    /// A cursor of at most 200 bytes for a reader on another machine, who may get some entries a second time.
    public let resumption: FeedCursor

    /// Whether this is the end of the feed.
    public var isEmpty: Bool { revoked.isEmpty && stale.isEmpty }

    /// Takes the entries and the cursor after them.
    /// - Parameter resumption: nil for `cursor`.
    public init(
        isStart: Bool, revoked: [Revoked], stale: [StaleMark] = [], cursor: FeedCursor, resumption: FeedCursor? = nil
    ) {
        self.isStart = isStart
        self.revoked = revoked
        self.stale = stale
        self.cursor = cursor
        self.resumption = resumption ?? cursor
    }
}

/// A position in the feed of revocations of one history of a store: `<epoch>-<position>`.
///
/// Only the store that made it can read the position: one store uses a sequence number; a store whose sequence numbers do
/// not commit in order uses a snapshot of transactions.
public struct FeedCursor: Hashable, Sendable {
    /// Printable ASCII without spaces. Clients send it back, so a store reads it strictly.
    public let rawValue: String

    /// Wraps a text that a store made, or that a client has sent.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// For stores: a position in the history with this number, which is positive.
    public init(epoch: Int64, position: String) {
        rawValue = "\(epoch)-\(position)"
    }

    /// For stores: the position, nil if the cursor is malformed or of another history.
    public func position(in epoch: Int64) -> Substring? {
        guard let end = rawValue.firstIndex(of: "-"), rawValue[..<end] == "\(epoch)" else { return nil }
        return rawValue[rawValue.index(after: end)...]
    }
}
