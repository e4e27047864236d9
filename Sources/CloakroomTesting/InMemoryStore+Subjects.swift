// `SubjectStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Synchronization

extension InMemoryStore {
    public func setClaims(
        _ change: ClaimsChange, recording events: [SecurityEvent]
    ) async throws -> Committed<StaleMark?> {
        let committed = commit { state, journal -> StaleMark?? in
            state.claims[change.subject] = change.claims
            if let mark = change.mark { state.feed.append(.stale(mark)) }
            journal.events += events
            return .some(change.mark)
        }
        return committed ?? Committed(nil)
    }

    public func setBlocked(
        _ isBlocked: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void> {
        let committed = commit { state, journal -> Void? in
            journal.events += events
            guard isBlocked else {
                state.blocked.remove(subject)
                return ()
            }
            state.blocked.insert(subject)
            return Self.revoke(.ofSubject(subject, except: nil), reason: .subjectBlocked, at: now, &state, &journal)
        }
        return committed ?? Committed(())
    }

    public func isBlocked(_ subject: Subject) async throws -> Bool {
        state.withLock { $0.blocked.contains(subject) }
    }
}

extension InMemoryStore.State {
    /// The number of entries before the cursor; nil if the last of them is another one than when the cursor was made.
    func position(of cursor: FeedCursor) -> Int? {
        guard let text = cursor.position(in: epoch) else { return nil }
        guard text != "0" else { return 0 }
        guard let count = Int(text.prefix { $0 != "/" }), 0 < count, count <= feed.count,
            "\(count)/\(feed[count - 1].name)" == text
        else { return nil }
        return count
    }

    /// The session with the claims of its subject.
    func session(_ id: SessionID) -> Session? {
        sessions[id].map { session in
            var session = session
            session.claims = claims[session.subject] ?? .empty
            return session
        }
    }
}

extension InMemoryStore.FeedEntry {
    var revoked: Revoked? {
        if case .revoked(let entry) = self { entry } else { nil }
    }

    var stale: StaleMark? {
        if case .stale(let mark) = self { mark } else { nil }
    }
}
