// `SubjectStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import GRDB

extension SQLiteStore {
    public func setClaims(
        _ change: ClaimsChange, recording events: [SecurityEvent]
    ) async throws -> Committed<StaleMark?> {
        let committed = try await commits.commit { journal -> StaleMark?? in
            try Subjects.set(change.claims, of: change.subject, journal.database)
            if let mark = change.mark { try journal.announce(mark) }
            try journal.record(events)
            return .some(change.mark)
        }
        return committed ?? Committed(change.mark)
    }

    public func setBlocked(
        _ isBlocked: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void> {
        let committed = try await commits.commit { journal in
            try Subjects.setBlocked(isBlocked, subject, journal.database)
            try journal.record(events)
            guard isBlocked else { return () }
            return try Self.revoke(.ofSubject(subject, except: nil), reason: .subjectBlocked, at: now, &journal)
        }
        return committed ?? Committed(())
    }

    public func isBlocked(_ subject: Subject) async throws -> Bool {
        try await pool.read { try Subjects.isBlocked(subject, $0) }
    }
}
