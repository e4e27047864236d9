import CloakroomCore
import CloakroomStores
import CloakroomTokens

extension SessionService {
    /// The result of a logout.
    package enum LogoutOutcome: Hashable, Sendable {
        /// The logout is on disk: every process refuses the session, also after a crash.
        case durable
        /// The store failed to write. This process refuses the session, and writes the logout as soon as it can.
        case overdue
    }

    /// Ends the presented session (authorizer #669: the response must not precede the durable write).
    ///
    /// A token that is not genuine ends nothing (CVE-2025-71402). A spent token does end its session. A session that was
    /// handed over ends with the one at the login host: otherwise the next page would log the user in again.
    /// - Throws: `Denial.unavailable` when the store failed to write and the queue of logouts is full.
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
        if let session = try await store.session(presented.session), let parent = session.parent {
            guard presented.isGenuine(for: session, under: keys) else { return }
            try await revoke(.family(of: parent), reason: .logout)
            return
        }
        let ended = try await store.update(presented.session) { session -> Decided<Void> in
            guard presented.isGenuine(for: session, under: keys), session.revoke(.logout, at: now) else {
                return Decided(())
            }
            return Decided(
                (), recording: [.revocation(of: session.id, subject: session.subject, reason: .logout, at: now)])
        }
        if let ended { publisher.publish(ended) }
    }

    /// Ends the session in memory. If the store cannot even be read, a token with a valid MAC counts as genuine; the
    /// later write checks it against the row again.
    private func endInMemory(_ presented: Presented) async throws {
        let keys = issuer.keys.current
        let session = try? await store.session(presented.session)
        if let session, !presented.isGenuine(for: session, under: keys) { return }
        guard overdue.insert(presented) else { throw Denial.unavailable(retryAfter: .seconds(1)) }
        publisher.announce([presented.session] + [session?.parent].compactMap { $0 })
    }

    /// Writes overdue logouts twice a second until the task is cancelled, and once more then.
    package func writeOverdueLogouts() async {
        while (try? await Task.sleep(for: OverdueLogouts.period)) != nil { await retryOverdueLogouts() }
        // In a new task: this one is cancelled, so the store would refuse to write.
        await Task { await retryOverdueLogouts() }.value
    }

    func retryOverdueLogouts() async {
        var failures = 0
        for presented in overdue.all {
            // Announced again: the view forgets a session when its access tokens have expired, but the refresh token
            // is still valid.
            publisher.announce([presented.session])
            // One row that cannot be read must not hold up the others, and a full disk is not asked for each of them.
            guard failures < OverdueLogouts.failuresPerRound else { continue }
            do {
                try await end(presented)
                overdue.remove(presented.session)
            } catch {
                failures += 1
            }
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
