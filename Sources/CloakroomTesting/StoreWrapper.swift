package import CloakroomCore
package import CloakroomStores

/// A store that forwards every call to `inner`, except for the methods that a conforming type implements: for tests
/// that inject failures and delays.
package protocol StoreWrapper: AccountStore, CredentialStore, OneTimeStore, SessionStore, SubjectStore {
    var inner: any Store { get }
}

extension StoreWrapper {
    package func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Claims>? {
        try await inner.begin(start, recording: events)
    }

    package func update<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        try await inner.update(id, checking: credentialVersion, decide)
    }

    package func session(_ id: SessionID) async throws -> Session? { try await inner.session(id) }

    package func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session] {
        try await inner.sessions(selection, page)
    }

    package func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> Committed<SessionID?> {
        try await inner.revoke(selection, reason: reason, at: now, after: position, limit: limit)
    }

    package func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws {
        try await inner.confirm(sightings, under: policy)
    }

    package func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await inner.revocations(after: cursor)
    }

    package func currentRevocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await inner.currentRevocations(after: cursor)
    }

    package func reassert(_ revoked: [SessionID], at now: Instant) async throws -> Committed<Void> {
        try await inner.reassert(revoked, at: now)
    }

    package func record(_ events: [SecurityEvent]) async throws -> Committed<Void> { try await inner.record(events) }

    package func events(_ query: EventQuery, after cursor: EventCursor?, limit: Int) async throws -> EventPage {
        try await inner.events(query, after: cursor, limit: limit)
    }

    package func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] {
        try await inner.takeUnannouncedEvents(limit: limit)
    }

    package func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int {
        try await inner.sweep(at: now, under: policy, limit: limit)
    }

    package func ping() async throws { try await inner.ping() }

    package func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int {
        try await inner.liveSessions(at: now, under: policy)
    }

    package var sharedAllowances: (any AllowanceStore)? { inner.sharedAllowances }

    package func put(_ entry: OneTimeEntry, at now: Instant) async throws -> Bool {
        try await inner.put(entry, at: now)
    }

    package func take(_ key: OneTimeKey, at now: Instant) async throws -> [UInt8]? {
        try await inner.take(key, at: now)
    }

    package func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
        try await inner.add(account, recording: events)
    }

    package func account(_ email: EmailAddress) async throws -> Account? { try await inner.account(email) }

    package func account(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (account: Account?, network: NetworkFamiliarity) {
        try await inner.account(email, from: network)
    }

    package func account(_ subject: Subject) async throws -> Account? { try await inner.account(subject) }
    package func accounts() async throws -> [Account] { try await inner.accounts() }

    package func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        try await inner.rehash(subject, from: old, to: new)
    }

    package func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> Committed<Value>? {
        try await inner.changePassword(change, by: session, decide)
    }

    package func setPassword(
        _ change: PasswordChange, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        try await inner.setPassword(change, recording: events)
    }

    package func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void>? {
        try await inner.setDisabled(isDisabled, subject, recording: events, at: now)
    }

    package func setClaims(
        _ change: ClaimsChange, recording events: [SecurityEvent]
    ) async throws -> Committed<StaleMark?> {
        try await inner.setClaims(change, recording: events)
    }

    package func setBlocked(
        _ isBlocked: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void> {
        try await inner.setBlocked(isBlocked, subject, recording: events, at: now)
    }

    package func isBlocked(_ subject: Subject) async throws -> Bool { try await inner.isBlocked(subject) }

    package func add(
        _ credential: ServiceCredential, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        try await inner.add(credential, recording: events)
    }

    package func credential(_ id: CredentialID) async throws -> ServiceCredential? { try await inner.credential(id) }
    package func credentials() async throws -> [ServiceCredential] { try await inner.credentials() }

    package func remove(_ id: CredentialID, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
        try await inner.remove(id, recording: events)
    }
}
