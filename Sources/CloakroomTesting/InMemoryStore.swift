// `SessionStore`, `AccountStore` and `OneTimeStore` document these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Synchronization

/// A store in memory, for tests: its contents end with the process. It passes the same contract as the durable
/// stores.
public final class InMemoryStore: SessionStore, AccountStore, CredentialStore, OneTimeStore, SubjectStore {
    struct State {
        var accounts: [Subject: Account] = [:]
        var sessions: [SessionID: Session] = [:]
        var networks: [Subject: [(network: NetworkAddress, seenAt: Instant)]] = [:]
        var claims: [Subject: Claims] = [:]
        var blocked: Set<Subject> = []
        var credentials: [CredentialID: ServiceCredential] = [:]
        var feed: [FeedEntry] = []
        var epoch: Int64 = 1
        var entries: [OneTimeKey: OneTimeEntry] = [:]
        var events: [SecurityEvent] = []
    }

    /// One entry of the feed.
    enum FeedEntry {
        case revoked(Revoked)
        case stale(StaleMark)

        /// The session or the subject.
        var name: String {
            switch self {
            case .revoked(let entry): entry.session.rawValue
            case .stale(let mark): mark.subject.rawValue
            }
        }
    }

    /// The events and revocations of one step.
    struct Journal {
        var events: [SecurityEvent] = []
        var revoked: [Revoked] = []
    }

    let state = Mutex(State())

    public init() {}

    /// All recorded events, oldest first.
    public var events: [SecurityEvent] { state.withLock { $0.events } }

    /// Runs a step under the lock. The step returns nil when it changed nothing.
    func commit<Value>(
        _ step: (inout State, inout Journal) -> sending Value?
    ) -> Committed<Value>? {
        state.withLock { state in
            var journal = Journal()
            guard let value = step(&state, &journal) else { return nil }
            state.events += journal.events.filter(\.kind.isRecorded)
            state.feed += journal.revoked.map(FeedEntry.revoked)
            return Committed(value, events: journal.events, revoked: journal.revoked)
        }
    }

    public func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Claims>? {
        commit { state, journal in
            let session = start.session
            guard Self.isCurrent(start.credentialVersion, of: session.subject, state),
                !state.blocked.contains(session.subject), Self.isParentAlive(start, state)
            else { return nil }
            journal.events += events
            if let claims = start.claims { state.claims[session.subject] = claims }
            if let replaced = start.replacing {
                Self.end(replaced, .replaced, at: session.createdAt, &state, &journal)
            }
            state.sessions[session.id] = session
            for id in Self.sessionsBeyondLimit(start, state) {
                Self.end(id, .tooManySessions, at: session.createdAt, &state, &journal)
            }
            Self.note(start.network, of: session.subject, at: session.createdAt, &state)
            return state.claims[session.subject] ?? .empty
        }
    }

    private static func isCurrent(_ version: Int?, of subject: Subject, _ state: State) -> Bool {
        guard let version else { return true }
        guard let account = state.accounts[subject] else { return false }
        return !account.isDisabled && account.credentialVersion == version
    }

    private static func isParentAlive(_ start: SessionStart, _ state: State) -> Bool {
        guard let id = start.session.parent else { return true }
        guard let parent = state.sessions[id], parent.subject == start.session.subject else { return false }
        return parent.isAlive(at: start.session.createdAt, under: start.policy) && parent.admits(start.session)
    }

    private static func sessionsBeyondLimit(_ start: SessionStart, _ state: State) -> [SessionID] {
        let (session, now) = (start.session, start.session.createdAt)
        let others = state.sessions.values.filter { other in
            other.subject == session.subject && other.id != session.id && other.parent == session.parent
                && other.isAlive(at: now, under: start.policy)
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
        _ id: SessionID, _ reason: RevocationReason, at now: Instant, _ state: inout State, _ journal: inout Journal
    ) {
        guard state.sessions[id]?.revoke(reason, at: now) == true, let session = state.sessions[id] else { return }
        journal.revoked.append(Revoked(session: id, time: now))
        journal.events.append(.revocation(of: id, subject: session.subject, reason: reason, at: now))
        endChildren(of: id, at: now, &state, &journal)
    }

    private static func endChildren(
        of id: SessionID, at now: Instant, _ state: inout State, _ journal: inout Journal,
        where isMeant: (Session) -> Bool = { _ in true }
    ) {
        for child in state.sessions.values
        where child.parent == id && child.revocation == nil && isMeant(child) {
            end(child.id, .parentEnded, at: now, &state, &journal)
        }
    }

    public func update<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        commit { state, journal in
            guard let session = state.sessions[id], Self.isCurrent(credentialVersion, of: session.subject, state)
            else { return nil }
            return Self.update(id, &state, &journal, decide)
        }
    }

    private static func update<Value>(
        _ id: SessionID, _ state: inout State, _ journal: inout Journal,
        _ decide: (inout Session) -> Decided<Value>
    ) -> Value? {
        guard let before = state.session(id) else { return nil }
        var after = before
        let decided = decide(&after)
        state.sessions[id] = after
        journal.events += decided.events
        if before.revocation == nil, let revocation = after.revocation {
            journal.revoked.append(Revoked(session: id, time: revocation.time))
            endChildren(of: id, at: revocation.time, &state, &journal)
        } else if after.mayHaveSuperseded(since: before) {
            endChildren(of: id, at: after.lastSeenAt, &state, &journal, where: after.supersedes)
        }
        return decided.value
    }

    public func session(_ id: SessionID) async throws -> Session? {
        state.withLock { $0.session(id) }
    }

    public func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session] {
        state.withLock { state in
            let kept = state.parent(ofExceptedBy: selection)
            let selected = state.sessions.values.filter { session in
                selection.contains(session, keeping: kept) && page.after?.isBefore(session) != false
                    && session.isAlive(at: page.time, under: page.policy)
            }
            return Array(
                selected.sorted { ($1.createdAt, $0.id.rawValue) < ($0.createdAt, $1.id.rawValue) }.prefix(page.limit))
        }
    }

    public func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> Committed<SessionID?> {
        let committed = commit { state, journal -> SessionID?? in
            let kept = state.parent(ofExceptedBy: selection)
            if position == nil { state.withdrawCodes(ofExceptedBy: selection) }
            let ids = state.sessions.values
                .filter { $0.revocation == nil && selection.contains($0, keeping: kept) }.map(\.id.rawValue)
                .filter { position.map { $0.rawValue } ?? "" < $0 }.sorted().prefix(limit).map { SessionID($0) }
            for id in ids { Self.end(id, reason, at: now, &state, &journal) }
            return .some(ids.count == limit ? ids.last : nil)
        }
        return committed ?? Committed(nil)
    }

    static func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, _ state: inout State,
        _ journal: inout Journal
    ) {
        let kept = state.parent(ofExceptedBy: selection)
        state.withdrawCodes(ofExceptedBy: selection)
        let ending = state.sessions.values.filter { $0.revocation == nil && selection.contains($0, keeping: kept) }
        // Children first: the end of a parent would end them with another reason.
        for session in ending.sorted(by: { $0.parent != nil && $1.parent == nil }) {
            end(session.id, reason, at: now, &state, &journal)
        }
    }

    public func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws {
        state.withLock { state in
            for sighting in sightings {
                state.sessions[sighting.session]?.confirm(
                    generation: sighting.generation, at: sighting.time, under: policy)
            }
        }
    }

    public func revocations(after cursor: FeedCursor?) async throws -> FeedPage {
        state.withLock { state in
            let start = cursor.flatMap { state.position(of: $0) }
            let entries = state.feed[(start ?? 0)...]
            let last = state.feed.last.map { "\(state.feed.count)/\($0.name)" } ?? "0"
            return FeedPage(
                isStart: start == nil, revoked: entries.compactMap(\.revoked), stale: entries.compactMap(\.stale),
                cursor: FeedCursor(epoch: state.epoch, position: last))
        }
    }

    public func currentRevocations(after cursor: FeedCursor?) async throws -> FeedPage {
        try await revocations(after: cursor)
    }

    public func reassert(_ revoked: [SessionID], at now: Instant) async throws -> Committed<Void> {
        commit { state, journal -> Void? in
            let known = Set(state.feed.compactMap(\.revoked?.session))
            for id in revoked where !known.contains(id) {
                Self.end(id, .lostInFailover, at: now, &state, &journal)
                guard !journal.revoked.contains(where: { $0.session == id }) else { continue }
                journal.revoked.append(Revoked(session: id, time: now))
            }
        } ?? Committed(())
    }

    /// Deletes the feed and begins a new epoch, as the restore of a backup does.
    package func restore() {
        state.withLock { state in
            state.feed = []
            state.epoch += 1
        }
    }

    /// The contents at one time.
    package struct Copy: Sendable {
        fileprivate let state: State
    }

    package func copy() -> Copy { state.withLock { Copy(state: $0) } }

    /// Goes back to older contents, as the copy of an older file does: the epoch does not tell.
    package func replace(by copy: Copy) {
        state.withLock { $0 = copy.state }
    }

    public func put(_ entry: OneTimeEntry, at now: Instant) async throws -> Bool {
        state.withLock { state in
            guard state.entries[entry.key].map({ $0.expiresAt <= now }) ?? true else { return false }
            state.entries[entry.key] = entry
            return true
        }
    }

    public func take(_ key: OneTimeKey, at now: Instant) async throws -> [UInt8]? {
        state.withLock { state in
            state.entries.removeValue(forKey: key).flatMap { now < $0.expiresAt ? $0.value : nil }
        }
    }

    public func record(_ events: [SecurityEvent]) async throws -> Committed<Void> {
        commit { _, journal -> Void? in journal.events += events } ?? Committed(())
    }

    public func events(_ query: EventQuery, after cursor: EventCursor?, limit: Int) async throws -> EventPage {
        state.withLock { state in
            let start = cursor.flatMap { Int($0.rawValue) } ?? 0
            let found = state.events.enumerated().dropFirst(start).filter { query.contains($0.element) }.prefix(limit)
            let end = found.count < limit ? state.events.count : found.last.map { $0.offset + 1 } ?? start
            return EventPage(events: found.map(\.element), cursor: EventCursor(String(end)))
        }
    }

    public func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int {
        state.withLock { state in
            let past = now - .days(1)
            let parents = Set(state.sessions.values.filter { $0.revocation == nil }.compactMap(\.parent))
            let dead = state.sessions.values.filter { session in
                session.expiresAt < past
                    || session.parent != nil && session.revocation.map { $0.time < past } ?? false
                    || session.revocation == nil && session.deadline(under: policy) < past
                        && !parents.contains(session.id)
            }
            for session in dead.prefix(limit) { state.sessions[session.id] = nil }
            let expired = state.entries.values.filter { $0.expiresAt <= now }.prefix(limit)
            for entry in expired { state.entries[entry.key] = nil }
            return min(dead.count, limit) + expired.count
        }
    }

    public func ping() async throws {}

    public func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int {
        state.withLock { state in
            state.sessions.values.filter { $0.revocation == nil && now < $0.deadline(under: policy) }.count
        }
    }

    /// Always empty, because no other process can use this store.
    public func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent] { [] }

    public func add(_ account: Account, recording events: [SecurityEvent]) async throws -> Committed<Void>? {
        commit { state, journal in
            guard !state.accounts.values.contains(where: { $0.email == account.email }) else { return nil }
            state.accounts[account.subject] = account
            journal.events += events
            return ()
        }
    }

    public func account(_ email: EmailAddress) async throws -> Account? {
        state.withLock { $0.accounts.values.first { $0.email == email } }
    }

    public func account(
        _ email: EmailAddress, from network: NetworkAddress
    ) async throws -> (account: Account?, network: NetworkFamiliarity) {
        state.withLock { state in
            let account = state.accounts.values.first { $0.email == email }
            let subjects = state.networks.filter { $0.value.contains { $0.network == network } }.keys
            let isOwn = account.map { subjects.contains($0.subject) } ?? false
            return (account, isOwn ? .own : subjects.isEmpty ? .none : .others)
        }
    }

    public func account(_ subject: Subject) async throws -> Account? {
        state.withLock { $0.accounts[subject] }
    }

    public func accounts() async throws -> [Account] {
        state.withLock { $0.accounts.values.sorted { $0.email.rawValue < $1.email.rawValue } }
    }

    public func rehash(_ subject: Subject, from old: PasswordHash, to new: PasswordHash) async throws {
        state.withLock { state in
            guard let account = state.accounts[subject], account.passwordHash == old else { return }
            state.accounts[subject] = account.with(passwordHash: new)
        }
    }

    public func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> Committed<Value>? {
        commit { state, journal in
            guard state.accounts[change.subject]?.credentialVersion == change.credentialVersion else { return nil }
            var agrees = false
            let value = Self.update(session, &state, &journal) { session in
                let decision = decide(&session)
                agrees = decision.agrees
                return decision.decided
            }
            if value != nil, agrees { Self.set(change, keeping: session, &state, &journal) }
            return value
        }
    }

    public func setPassword(_ change: PasswordChange, recording events: [SecurityEvent]) async throws
        -> Committed<Void>?
    {
        commit { state, journal in
            guard state.accounts[change.subject]?.credentialVersion == change.credentialVersion else { return nil }
            journal.events += events
            return Self.set(change, keeping: nil, &state, &journal)
        }
    }

    private static func set(
        _ change: PasswordChange, keeping kept: SessionID?, _ state: inout State, _ journal: inout Journal
    ) {
        state.accounts[change.subject] = state.accounts[change.subject]?
            .with(passwordHash: change.hash, credentialVersion: change.credentialVersion + 1)
        revoke(.ofSubject(change.subject, except: kept), reason: .passwordChanged, at: change.time, &state, &journal)
    }

    public func setDisabled(
        _ isDisabled: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void>? {
        commit { state, journal in
            guard let account = state.accounts[subject] else { return nil }
            state.accounts[subject] = account.with(
                credentialVersion: account.credentialVersion + 1, isDisabled: isDisabled)
            journal.events += events
            guard isDisabled else { return () }
            return Self.revoke(
                .ofSubject(subject, except: nil), reason: .accountDisabled, at: now, &state, &journal)
        }
    }
}

extension InMemoryStore.State {
    fileprivate mutating func withdrawCodes(ofExceptedBy selection: SessionSelection) {
        guard let id = selection.excepted else { return }
        sessions[sessions[id]?.parent ?? id]?.withdrawCodes()
    }

    fileprivate func parent(ofExceptedBy selection: SessionSelection) -> SessionID? {
        selection.excepted.flatMap { sessions[$0]?.parent }
    }
}

extension EventQuery {
    fileprivate func contains(_ event: SecurityEvent) -> Bool {
        (subject == nil || event.subject == subject) && (session == nil || event.session == session)
            && (kinds.isEmpty || kinds.contains(event.kind)) && since.map { $0 <= event.time } ?? true
            && until.map { event.time < $0 } ?? true
    }
}

extension SessionSelection {
    /// - Parameter parent: that of the excepted session.
    fileprivate func contains(_ session: Session, keeping parent: SessionID?) -> Bool {
        switch self {
        case .id(let id): session.id == id
        case .ofSubject(let subject, let except):
            session.subject == subject && session.id != except && session.id != parent
        case .family(let root): session.id == root || session.parent == root
        case .createdBefore(let instant): session.createdAt < instant
        case .all: true
        }
    }
}

extension Account {
    fileprivate func with(
        passwordHash: PasswordHash? = nil, credentialVersion: Int? = nil, isDisabled: Bool? = nil
    ) -> Account {
        Account(
            subject: subject, email: email, passwordHash: passwordHash ?? self.passwordHash,
            credentialVersion: credentialVersion ?? self.credentialVersion, isDisabled: isDisabled ?? self.isDisabled,
            createdAt: createdAt)
    }
}
