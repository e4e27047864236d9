import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Testing

/// The contract itself: stores that break it are found.
@Suite struct StoreContractTests {
    enum Operation: CaseIterable {
        case begin, update, revoke, record, add, changePassword, setPassword, setDisabled
        case setClaims, setBlocked, addCredential, removeCredential
    }

    /// A store that does everything but keep the events of one operation.
    private struct ForgetfulStore: StoreWrapper {
        let inner: any Store = InMemoryStore()
        let forgetsEventsOf: Operation

        private func kept(_ events: [SecurityEvent], of operation: Operation) -> [SecurityEvent] {
            operation == forgetsEventsOf ? [] : events
        }

        func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Claims>? {
            try await inner.begin(start, recording: kept(events, of: .begin))
        }

        func update<Value: Sendable>(
            _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
        ) async throws -> Committed<Value>? {
            try await inner.update(id, checking: credentialVersion) { session in
                let decided = decide(&session)
                return Decided(decided.value, recording: kept(decided.events, of: .update))
            }
        }

        func revoke(
            _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
            limit: Int
        ) async throws -> Committed<SessionID?> {
            let done = try await inner.revoke(selection, reason: reason, at: now, after: position, limit: limit)
            let (events, revoked) = (kept(done.events, of: .revoke), done.revoked)
            return Committed(done.publish { _, _ in }, events: events, revoked: revoked)
        }

        func record(_ events: [SecurityEvent]) async throws -> Committed<Void> {
            try await inner.record(kept(events, of: .record))
        }

        func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
            try await inner.add(account, recording: kept(events, of: .add))
        }

        func changePassword<Value: Sendable>(
            _ change: PasswordChange, by session: SessionID,
            _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
        ) async throws -> Committed<Value>? {
            try await inner.changePassword(change, by: session) { session in
                let (decided, agrees) = decide(&session)
                return (Decided(decided.value, recording: kept(decided.events, of: .changePassword)), agrees)
            }
        }

        func setPassword(
            _ change: PasswordChange, recording events: [SecurityEvent]
        ) async throws -> Committed<Void>? {
            try await inner.setPassword(change, recording: kept(events, of: .setPassword))
        }

        func setDisabled(
            _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
        ) async throws -> Committed<Void>? {
            try await inner.setDisabled(isDisabled, subject, recording: kept(events, of: .setDisabled), at: now)
        }

        func setClaims(
            _ change: ClaimsChange, recording events: [SecurityEvent]
        ) async throws -> Committed<StaleMark?> {
            try await inner.setClaims(change, recording: kept(events, of: .setClaims))
        }

        func setBlocked(
            _ isBlocked: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
        ) async throws -> Committed<Void> {
            try await inner.setBlocked(isBlocked, subject, recording: kept(events, of: .setBlocked), at: now)
        }

        func add(_ credential: ServiceCredential, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
            try await inner.add(credential, recording: kept(events, of: .addCredential))
        }

        func remove(_ id: CredentialID, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
            try await inner.remove(id, recording: kept(events, of: .removeCredential))
        }
    }

    @Test("a store that forgets the events of an operation breaks the contract", arguments: Operation.allCases)
    func forgetful(_ operation: Operation) async {
        await #expect(throws: StoreContract.Violation.self) {
            for check in StoreContract.checks { try await check.run(ForgetfulStore(forgetsEventsOf: operation)) }
        }
    }
}
