package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// Ends one of the subject's own sessions. One that was handed over ends with its parent: otherwise its host would get
    /// another at the next page.
    /// - Throws: `Denial.notFound` when the session belongs to another subject or has ended.
    package func end(_ id: SessionID, of subject: Subject) async throws {
        let (policy, now) = (policy, now)
        if let session = try await store.session(id), let parent = session.parent {
            guard session.subject == subject, session.isAlive(at: now, under: policy) else { throw Denial.notFound }
            try await revoke(.family(of: parent), reason: .endedByUser)
            return
        }
        let committed = try await store.update(id) { session -> Decided<Bool> in
            guard session.subject == subject, session.isAlive(at: now, under: policy) else {
                return Decided(false)
            }
            session.revoke(.endedByUser, at: now)
            return Decided(
                true, recording: [.revocation(of: id, subject: subject, reason: .endedByUser, at: now)])
        }
        guard let committed, publisher.publish(committed) else { throw Denial.notFound }
    }

    /// Ends all sessions of the subject except that of `access`.
    package func endOthers(of access: VerifiedAccess) async throws {
        try await revoke(.ofSubject(access.subject, except: access.session), reason: .endedByUser)
    }

    /// Ends all selected sessions, in steps. Each step is durable and announced before the next begins. A single session
    /// that was handed over ends with its parent.
    ///
    /// When a run is interrupted, the announced sessions have ended; a second run ends the rest.
    /// - Returns: the number of sessions that this run ended.
    @discardableResult
    package func revoke(_ selection: SessionSelection, reason: RevocationReason) async throws -> Int {
        let selection = try await wholeFamily(of: selection)
        var count = 0
        var position: SessionID?
        repeat {
            try Task.checkCancellation()
            let step = try await store.revoke(
                selection, reason: reason, at: now, after: position, limit: Self.revocationStep)
            count += step.revoked.count
            position = publisher.publish(step)
        } while position != nil
        return count
    }

    private func wholeFamily(of selection: SessionSelection) async throws -> SessionSelection {
        switch selection {
        case .id(let id): try await store.session(id)?.parent.map { .family(of: $0) } ?? selection
        case .ofSubject, .family, .createdBefore, .all: selection
        }
    }

    /// The number of sessions in one step: a renewal that arrives meanwhile waits for a few milliseconds only.
    static let revocationStep = 200
}
