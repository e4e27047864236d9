package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

extension SessionService {
    /// Ends one of the subject's own sessions.
    /// - Throws: `Denial.notFound` for one that is somebody else's, or over.
    package func end(_ id: SessionID, of subject: Subject) async throws {
        let (policy, now) = (policy, now)
        let committed = try await store.update(id) { session -> Decided<Bool> in
            guard session.subject == subject, (try? session.checkAlive(at: now, under: policy)) != nil else {
                return Decided(false)
            }
            session.revoke(.endedByUser, at: now)
            return Decided(
                true, recording: [.revocation(of: id, subject: subject, reason: .endedByUser, at: now)])
        }
        guard let committed, publisher.publish(committed) else { throw Denial.notFound }
    }

    /// Ends every other session of the subject.
    package func endOthers(of access: VerifiedAccess) async throws {
        try await revoke(.ofSubject(access.subject, except: access.session), reason: .endedByUser)
    }

    /// Ends every session that is selected and had begun by now, in steps: each is durable and announced before the next.
    ///
    /// A run that is interrupted has ended what it has announced; another run ends the rest.
    /// - Returns: how many were alive until now.
    @discardableResult
    package func revoke(_ selection: SessionSelection, reason: RevocationReason) async throws -> Int {
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

    /// So few at a time that a renewal that comes meanwhile waits for a few milliseconds.
    static let revocationStep = 200
}
