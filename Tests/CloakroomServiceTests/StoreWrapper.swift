import CloakroomCore
import CloakroomService
import CloakroomTokens

/// A store that passes everything on to another: the base of stores that interfere in one place.
class StoreWrapper: SessionStore, UserStore, @unchecked Sendable {
    let inner: any SessionStore & UserStore

    init(_ inner: any SessionStore & UserStore) {
        self.inner = inner
    }

    func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> [SecurityEvent]? {
        try await inner.begin(start, recording: events)
    }

    func update<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Value? {
        try await inner.update(id, decide)
    }

    func updateWithOwner<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> (value: Value, owner: User?)? {
        try await inner.updateWithOwner(id, decide)
    }

    func session(_ id: SessionID) async throws -> Session? { try await inner.session(id) }

    func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session] {
        try await inner.sessions(selection, page)
    }

    func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> RevocationStep {
        try await inner.revoke(selection, reason: reason, at: now, after: position, limit: limit)
    }

    func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws {
        try await inner.confirm(sightings, under: policy)
    }

    func revocations(after position: Int64) async throws -> (revoked: [Revoked], position: Int64) {
        try await inner.revocations(after: position)
    }

    func record(_ events: [SecurityEvent]) async throws { try await inner.record(events) }

    func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int {
        try await inner.sweep(at: now, under: policy, limit: limit)
    }

    func ping() async throws { try await inner.ping() }

    func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int {
        try await inner.liveSessions(at: now, under: policy)
    }

    func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] {
        try await inner.takeUnannouncedEvents(limit: limit)
    }

    func add(_ user: User, recording events: [SecurityEvent]) async throws -> Bool {
        try await inner.add(user, recording: events)
    }

    func user(_ email: EmailAddress) async throws -> User? { try await inner.user(email) }

    func user(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (user: User?, network: NetworkFamiliarity) {
        try await inner.user(email, from: network)
    }

    func user(_ subject: Subject) async throws -> User? { try await inner.user(subject) }
    func users() async throws -> [User] { try await inner.users() }

    func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        try await inner.rehash(subject, from: old, to: new)
    }

    func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> (value: Value, revoked: [Revoked])? {
        try await inner.changePassword(change, by: session, decide)
    }

    func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws -> [Revoked]? {
        try await inner.setPassword(change, recording: events)
    }

    func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> [Revoked]? {
        try await inner.setDisabled(isDisabled, subject, recording: events, at: now)
    }
}
