import CloakroomCore
import CloakroomStores
import GRDB

/// Collects the events and revocations of one transaction: it writes them to the database, and returns them to the
/// caller.
struct Journal {
    let database: Database
    private var events: [SecurityEvent] = []
    private var revoked: [Revoked] = []

    init(_ database: Database) {
        self.database = database
    }

    mutating func record(_ events: [SecurityEvent]) throws {
        try Events.append(events.filter(\.kind.isRecorded), database)
        self.events += events
    }

    /// Appends an ended session to the feed. The caller records the event.
    mutating func announce(_ session: SessionID, at time: Instant) throws {
        try Feed.append(session, at: time, database)
        revoked.append(Revoked(session: session, time: time))
    }

    /// Appends a mark to the feed.
    func announce(_ mark: StaleMark) throws {
        try Feed.append(mark, database)
    }

    func committed<Value>(_ value: Value) -> Committed<Value> {
        Committed(value, events: events, revoked: revoked)
    }
}

extension GroupCommit where Work == SQLiteWork {
    /// Runs `work` in a transaction, and returns when its writes and its journal are on disk.
    /// - Parameter work: returns nil when it changed nothing.
    func commit<Value: Sendable>(
        _ work: @Sendable (inout Journal) throws -> Value?
    ) async throws -> Committed<Value>? {
        try await write { database in
            var journal = Journal(database)
            return try work(&journal).map { journal.committed($0) }
        }
    }
}
