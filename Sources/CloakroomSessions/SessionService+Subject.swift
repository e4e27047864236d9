package import CloakroomCore
package import CloakroomStores
import CloakroomTokens

/// What a backend that keeps its own login decides about a subject and its sessions.
extension SessionService {
    /// Replaces the claims of a subject.
    package func setClaims(_ change: ClaimsChange, by credential: CredentialID) async throws {
        let event = event(.claimsChange, of: change.subject, by: credential)
        let mark = publisher.publish(try await store.setClaims(change, recording: [event]))
        if let mark { publisher.announce(mark) }
    }

    /// Blocks a subject, which ends its sessions, or admits it again.
    package func setBlocked(_ isBlocked: Bool, _ subject: Subject, by credential: CredentialID) async throws {
        let event = event(isBlocked ? .subjectBlocked : .subjectUnblocked, of: subject, by: credential)
        publisher.publish(try await store.setBlocked(isBlocked, subject, recording: [event], at: now))
    }

    /// Ends a session, if the credential may: one that does not exist, or that belongs to another subject than `allows`
    /// admits, is left alone. One that was handed over ends with its parent.
    package func end(
        _ id: SessionID, by credential: CredentialID, where allows: @escaping @Sendable (Subject) -> Bool
    ) async throws {
        let now = now
        if let session = try await store.session(id), let parent = session.parent {
            guard allows(session.subject) else { return }
            try await end(parent, by: credential, where: allows)
            // The row of a parent that was unused for its idle lifetime may be gone.
            try await revoke(.family(of: parent), reason: .endedByService)
            return
        }
        let ended = try await store.update(id) { session -> Decided<Void> in
            guard allows(session.subject), session.revoke(.endedByService, at: now) else { return Decided(()) }
            return Decided(
                (),
                recording: [
                    .revocation(of: id, subject: session.subject, reason: .endedByService, by: credential, at: now)
                ])
        }
        if let ended { publisher.publish(ended) }
    }

    /// One page of the record of events.
    package func events(after cursor: EventCursor?, limit: Int) async throws -> EventPage {
        try await store.events(EventQuery(), after: cursor, limit: limit)
    }

    private func event(
        _ kind: SecurityEvent.Kind, of subject: Subject, by credential: CredentialID
    ) -> SecurityEvent {
        SecurityEvent(kind, at: now, subject: subject, details: .init(credential: credential))
    }
}
