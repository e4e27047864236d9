import CloakroomCore
import CloakroomStores
import CloakroomTokens

extension SessionService {
    /// What became of a logout.
    package enum LogoutOutcome: Hashable, Sendable {
        /// On the disk: over for every process, whatever happens.
        case durable
        /// The store took no write. This process refuses the session, and writes the logout as soon as it can.
        case overdue
    }

    /// Ends the session that is presented (authorizer #669: the answer must not come before the end is durable).
    ///
    /// A token that is not genuine ends nothing (CVE-2025-71402), a spent one does: whoever holds it may log out.
    /// - Throws: `Denial.unavailable` when the store took no write and too many logouts wait for it already.
    package func logout(_ presented: Presented) async throws -> LogoutOutcome {
        do {
            try await end(presented)
            return .durable
        } catch {
            try await endInMemory(presented)
            return .overdue
        }
    }

    private func end(_ presented: Presented) async throws {
        let now = now
        let keys = issuer.keys.current
        let ended = try await store.update(presented.session) { session -> Decided<Void> in
            guard presented.isGenuine(for: session, under: keys), session.revoke(.logout, at: now) else {
                return Decided(())
            }
            return Decided(
                (), recording: [.revocation(of: session.id, subject: session.subject, reason: .logout, at: now)])
        }
        if let ended { publisher.publish(ended) }
    }

    /// Ends the session in memory. A token with a good MAC is taken for genuine where the store cannot even be read:
    /// what is written later is decided by the row again.
    private func endInMemory(_ presented: Presented) async throws {
        let keys = issuer.keys.current
        if let session = try? await store.session(presented.session), !presented.isGenuine(for: session, under: keys) {
            return
        }
        guard overdue.insert(presented) else { throw Denial.unavailable(retryAfter: .seconds(1)) }
        publisher.announce([presented.session])
    }

    /// Writes overdue logouts until the task is cancelled, and once more then.
    package func writeOverdueLogouts() async {
        while (try? await Task.sleep(for: OverdueLogouts.period)) != nil { await retryOverdueLogouts() }
        // In a task of its own: in this one, which is cancelled, the store would refuse.
        await Task { await retryOverdueLogouts() }.value
    }

    func retryOverdueLogouts() async {
        for presented in overdue.all {
            // Again, for the view forgets when access tokens have expired, and the refresh token has not.
            publisher.announce([presented.session])
            // One row that cannot be read must not hold up the others.
            guard (try? await end(presented)) != nil else { continue }
            overdue.remove(presented.session)
        }
    }
}

extension SessionService.Presented {
    fileprivate func isGenuine(for session: Session, under keys: IssuerKeys) -> Bool {
        switch self {
        case .refresh(let token): token.isGenuine(for: session, under: keys)
        case .access: true
        }
    }
}
