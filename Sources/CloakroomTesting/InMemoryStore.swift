// What these methods promise stands at `SessionStore` and `UserStore`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomService
public import CloakroomTokens
import Synchronization

/// A store that forgets everything with the process: for tests. It passes the same contract as the durable ones.
public final class InMemoryStore: SessionStore, UserStore {
    private struct State {
        var users: [Subject: User] = [:]
        var sessions: [SessionID: Session] = [:]
        var networks: [Subject: [(network: NetworkAddress, seenAt: Instant)]] = [:]
        var feed: [(position: Int64, revoked: Revoked)] = []
        var position: Int64 = 0
        var events: [SecurityEvent] = []

        mutating func announce(_ session: SessionID, at time: Instant) {
            position += 1
            feed.append((position, Revoked(session: session, time: time)))
        }
    }

    private let state = Mutex(State())

    public init() {}

    /// Everything on record, oldest first.
    public var events: [SecurityEvent] { state.withLock { $0.events } }

    public func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> [SecurityEvent]? {
        state.withLock { state in
            let session = start.session
            guard let user = state.users[session.subject], !user.isDisabled,
                user.credentialVersion == start.credentialVersion
            else { return nil }
            var ends = [start.replacing.flatMap { Self.end($0, .replaced, at: session.createdAt, &state) }]
            state.sessions[session.id] = session
            for id in Self.sessionsBeyondLimit(start, state) {
                ends.append(Self.end(id, .tooManySessions, at: session.createdAt, &state))
            }
            Self.note(start.network, of: session.subject, at: session.createdAt, &state)
            state.events += events
            return ends.compactMap { $0 }
        }
    }

    private static func sessionsBeyondLimit(_ start: SessionStart, _ state: State) -> [SessionID] {
        let (session, now) = (start.session, start.session.createdAt)
        let others = state.sessions.values.filter { other in
            other.subject == session.subject && other.id != session.id
                && (try? other.checkAlive(at: now, under: start.policy)) != nil
        }
        let unusedLast = others.sorted {
            ($1.lastSeenAt, $1.createdAt, $0.id.rawValue) < ($0.lastSeenAt, $0.createdAt, $1.id.rawValue)
        }
        return unusedLast.dropFirst(start.maximumSessions - 1).prefix(SessionStart.endedAtMost).map(\.id)
    }

    private static func note(
        _ network: NetworkAddress, of subject: Subject, at time: Instant, _ state: inout State
    ) {
        var networks = state.networks[subject, default: []].filter { $0.network != network }
        networks.insert((network, time), at: 0)
        networks.sort { ($1.seenAt, $0.network.rawValue) < ($0.seenAt, $1.network.rawValue) }
        state.networks[subject] = Array(networks.prefix(NetworkAddress.rememberedPerSubject))
    }

    private static func end(
        _ id: SessionID, _ reason: RevocationReason, at now: Instant, _ state: inout State
    ) -> SecurityEvent? {
        guard state.sessions[id]?.revoke(reason, at: now) == true, let session = state.sessions[id] else { return nil }
        let event = SecurityEvent(.revocation, at: now, subject: session.subject, session: id, detail: reason.rawValue)
        state.announce(id, at: now)
        state.events.append(event)
        return event
    }

    public func update<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Value? {
        try await updateWithOwner(id, decide)?.value
    }

    public func updateWithOwner<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> (value: Value, owner: User?)? {
        state.withLock { Self.update(id, &$0, decide) }
    }

    private static func update<Value>(
        _ id: SessionID, _ state: inout State, _ decide: (inout Session) -> Decided<Value>
    ) -> (value: Value, owner: User?)? {
        guard let before = state.sessions[id] else { return nil }
        var after = before
        let decided = decide(&after)
        state.sessions[id] = after
        if before.revocation == nil, let revocation = after.revocation { state.announce(id, at: revocation.time) }
        state.events += decided.events
        return (decided.value, state.users[after.subject])
    }

    public func session(_ id: SessionID) async throws -> Session? {
        state.withLock { $0.sessions[id] }
    }

    public func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session] {
        state.withLock { state in
            let selected = state.sessions.values.filter { session in
                selection.contains(session) && page.after?.isBefore(session) != false
                    && (try? session.checkAlive(at: page.time, under: page.policy)) != nil
            }
            return Array(
                selected.sorted { ($1.createdAt, $0.id.rawValue) < ($0.createdAt, $1.id.rawValue) }.prefix(page.limit))
        }
    }

    public func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> RevocationStep {
        state.withLock { state in
            let ids = state.sessions.values
                .filter { $0.revocation == nil && selection.contains($0) }.map(\.id.rawValue)
                .filter { position.map { $0.rawValue } ?? "" < $0 }.sorted().prefix(limit).map { SessionID($0) }
            let revoked = ids.filter { Self.end($0, reason, at: now, &state) != nil }
            return RevocationStep(
                revoked: revoked.map { Revoked(session: $0, time: now) },
                position: ids.count == limit ? ids.last : nil)
        }
    }

    private static func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, _ state: inout State
    ) -> [Revoked] {
        let selected = state.sessions.values.filter { $0.revocation == nil && selection.contains($0) }
        return selected.filter { end($0.id, reason, at: now, &state) != nil }
            .map { Revoked(session: $0.id, time: now) }
    }

    public func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws {
        state.withLock { state in
            for sighting in sightings {
                state.sessions[sighting.session]?.confirm(
                    generation: sighting.generation, at: sighting.time, under: policy)
            }
        }
    }

    public func revocations(after position: Int64) async throws -> (revoked: [Revoked], position: Int64) {
        state.withLock { state in
            let news = state.feed.filter { $0.position > position }
            return (news.map(\.revoked), news.last?.position ?? position)
        }
    }

    public func record(_ events: [SecurityEvent]) async throws {
        state.withLock { $0.events += events }
    }

    public func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int {
        state.withLock { state in
            let past = now - .days(1)
            let dead = state.sessions.values.filter { session in
                session.expiresAt < past || session.revocation == nil && session.deadline(under: policy) < past
            }
            for session in dead.prefix(limit) { state.sessions[session.id] = nil }
            return min(dead.count, limit)
        }
    }

    public func ping() async throws {}

    public func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int {
        state.withLock { state in
            state.sessions.values.filter { $0.revocation == nil && now < $0.deadline(under: policy) }.count
        }
    }

    /// No other process can reach it.
    public func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] { [] }

    public func add(_ user: User, recording events: [SecurityEvent]) async throws -> Bool {
        state.withLock { state in
            guard !state.users.values.contains(where: { $0.email == user.email }) else { return false }
            state.users[user.subject] = user
            state.events += events
            return true
        }
    }

    public func user(_ email: EmailAddress) async throws -> User? {
        state.withLock { $0.users.values.first { $0.email == email } }
    }

    public func user(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (user: User?, network: NetworkFamiliarity) {
        state.withLock { state in
            let user = state.users.values.first { $0.email == email }
            let subjects = state.networks.filter { $0.value.contains { $0.network == network } }.keys
            let isOwn = user.map { subjects.contains($0.subject) } ?? false
            return (user, isOwn ? .own : subjects.isEmpty ? .none : .others)
        }
    }

    public func user(_ subject: Subject) async throws -> User? {
        state.withLock { $0.users[subject] }
    }

    public func users() async throws -> [User] {
        state.withLock { $0.users.values.sorted { $0.email.rawValue < $1.email.rawValue } }
    }

    public func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        state.withLock { state in
            guard let user = state.users[subject], user.passwordHash == old else { return }
            state.users[subject] = user.with(passwordHash: new)
        }
    }

    public func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> (value: Value, revoked: [Revoked])? {
        state.withLock { state in
            guard state.users[change.subject]?.credentialVersion == change.credentialVersion else { return nil }
            var agrees = false
            let updated = Self.update(session, &state) { session in
                let decision = decide(&session)
                agrees = decision.agrees
                return decision.decided
            }
            guard let updated else { return nil }
            return (updated.value, agrees ? Self.set(change, keeping: session, &state) : [])
        }
    }

    public func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws -> [Revoked]? {
        state.withLock { state in
            guard state.users[change.subject]?.credentialVersion == change.credentialVersion else { return nil }
            state.events += events
            return Self.set(change, keeping: nil, &state)
        }
    }

    private static func set(
        _ change: PasswordChange, keeping kept: SessionID?, _ state: inout State
    ) -> [Revoked] {
        state.users[change.subject] = state.users[change.subject]?
            .with(passwordHash: change.hash, credentialVersion: change.credentialVersion + 1)
        return revoke(
            .ofSubject(change.subject, except: kept), reason: .passwordChanged, at: change.time, &state)
    }

    public func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> [Revoked]? {
        state.withLock { state in
            guard let user = state.users[subject] else { return nil }
            state.users[subject] = user.with(credentialVersion: user.credentialVersion + 1, isDisabled: isDisabled)
            state.events += events
            guard isDisabled else { return [] }
            return Self.revoke(.ofSubject(subject, except: nil), reason: .accountDisabled, at: now, &state)
        }
    }
}

extension SessionSelection {
    fileprivate func contains(_ session: Session) -> Bool {
        switch self {
        case .id(let id): session.id == id
        case .ofSubject(let subject, let except): session.subject == subject && session.id != except
        case .createdBefore(let instant): session.createdAt < instant
        case .all: true
        }
    }
}

extension User {
    fileprivate func with(
        passwordHash: PasswordHash? = nil, credentialVersion: Int? = nil, isDisabled: Bool? = nil
    ) -> User {
        User(
            subject: subject, email: email, passwordHash: passwordHash ?? self.passwordHash,
            credentialVersion: credentialVersion ?? self.credentialVersion, isDisabled: isDisabled ?? self.isDisabled,
            createdAt: createdAt)
    }
}
