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
    /// handed over ends with the one at the login host: otherwise the next page would log the user in again. One that was
    /// revoked ends nothing more: its cookie may be the copy of a thief.
    /// - Throws: `Denial.unavailable` when the store failed to write and the queue of logouts is full.
    package func logout(_ presented: Presented) async throws -> LogoutOutcome {
        var (session, family): (Session?, [SessionID]) = (nil, [])
        do {
            session = try await store.session(presented.session)
            if let session {
                family = try await self.family(of: session)
                try await end(session, presented)
            }
            return .durable
        } catch {
            try await endInMemory(session, family, presented)
            return .overdue
        }
    }

    private func end(_ session: Session, _ presented: Presented) async throws {
        let now = now
        let keys = issuer.keys.current
        guard presented.isGenuine(for: session, under: keys), session.revocation == nil else { return }
        if let parent = session.parent {
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

    /// Ends the session in memory.
    /// - Parameters:
    ///   - session: as it was before the write that failed; nil if the store could not even be read. A token with a valid
    ///     MAC then counts as genuine, and the later write checks it against the row again.
    ///   - family: the others of the same login. Their renewals are refused from now on, so that no access token is issued
    ///     that this would have to end, too.
    private func endInMemory(_ session: Session?, _ family: [SessionID], _ presented: Presented) async throws {
        let root = session.map { $0.parent ?? $0.id }
        guard overdue.insert(presented, of: root) else { throw Denial.unavailable(retryAfter: .seconds(1)) }
        publisher.announce([presented.session] + family)
    }

    /// The live sessions of the same login, read before the write: one that fails may have ended them all the same.
    private func family(of session: Session) async throws -> [SessionID] {
        guard session.parent != nil || session.details.handOverEpoch != nil else { return [] }
        let page = SessionPage(limit: HandedOver.mostOfOneParent + 1, at: now, under: policy)
        return try await store.sessions(.family(of: session.parent ?? session.id), page).map(\.id)
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
                if let session = try await store.session(presented.session) { try await end(session, presented) }
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
