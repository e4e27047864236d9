import CloakroomCore
import CloakroomStores
import GRDB

/// What one transaction puts on record and into the feed. Its caller is told the same.
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

    /// Puts a session that was ended into the feed. Its event is the caller's.
    mutating func announce(_ session: SessionID, at time: Instant) throws {
        try Feed.append(session, at: time, database)
        revoked.append(Revoked(session: session, time: time))
    }

    func committed<Value>(_ value: Value) -> Committed<Value> {
        Committed(value, events: events, revoked: revoked)
    }
}

extension GroupCommit {
    /// Returns when what `work` wrote and what it put into the journal is on the disk.
    /// - Parameter work: returns nil when nothing was changed.
    func commit<Value: Sendable>(
        _ work: @Sendable (inout Journal) throws -> Value?
    ) async throws -> Committed<Value>? {
        try await write { database in
            var journal = Journal(database)
            return try work(&journal).map { journal.committed($0) }
        }
    }
}
