public import CloakroomCore

/// Saves sessions, the feed of revocations and the record of events. Each method is one atomic use case: it takes
/// effect as a whole, durably, or not at all.
///
/// An operation that ends a session also ends the live sessions that were handed over from it (`Session.parent`), in
/// the same step, with the reason `parentEnded`, and records and announces each. So does a change after which the
/// parent `supersedes` some of them. An operation that excepts a session makes the codes of that session worthless
/// (`withdrawCodes`).
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol SessionStore: Sendable {
    /// Saves a new session if the credential of its account is still the one that was checked, its subject is not
    /// blocked and its parent, if it has one, is alive and `admits` it.
    ///
    /// Sets the claims of the subject, if there are new ones. Ends the session that it replaces in the browser, and
    /// those unused for longest beyond the maximum: of the subject's sessions without a parent, or of those with the
    /// same parent. Saves the network of the subject; beyond `NetworkAddress.rememberedPerSubject` it replaces the one
    /// seen least recently.
    /// - Returns: the claims of the subject; nil, with nothing changed, if the subject is blocked, if the account was
    ///   disabled or its credential changed meanwhile, or if the parent has ended.
    func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Claims>?

    /// Loads the session, lets `decide` change it, and saves the change with its events, as one atomic step.
    ///
    /// A revocation that `decide` makes is announced in the feed of `revocations`. `decide` must be pure: a store may run
    /// it again after a write conflict.
    /// - Parameter credentialVersion: the credential that was checked before; nil where none was.
    /// - Returns: what was decided, or nil when there is no such session, or its account was disabled or has another
    ///   credential by now.
    func update<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>?

    /// The session, with the claims of its subject.
    func session(_ id: SessionID) async throws -> Session?

    /// The live sessions of the selection, newest first, one page of them, without claims.
    func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session]

    /// Ends up to `limit` sessions of the selection, in the order of their ids, as one atomic step. A caller ends many
    /// sessions in many steps, so that a renewal waits for one step and not for all. A store that keeps subjects
    /// apart may end those of several subjects one by one: a step that throws has then ended some of them, and is
    /// repeated.
    ///
    /// After the last step, every session of the selection that existed before the first step has ended.
    /// - Parameter position: the value that the previous step returned; nil for the first step.
    /// - Returns: the position for the next step; nil after the last.
    func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> Committed<SessionID?>

    /// Records that requests carried access tokens; skips sessions that do not exist any more.
    func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws

    /// One page of the feed of revocations; the store chooses its size. Start with nil, and continue until a page is
    /// empty. A cursor that is malformed, or of a history that the store does not have, is taken for nil
    /// (`FeedPage.isStart`).
    func revocations(after cursor: FeedCursor?) async throws -> FeedPage

    /// As above, and proves that the page is current: it has all revocations after the cursor that any process had
    /// committed before the call, as far as they fit into a page.
    ///
    /// A database server that another one has replaced goes on answering reads. Therefore a store that can be replaced
    /// makes a write and returns when that was acknowledged.
    func currentRevocations(after cursor: FeedCursor?) async throws -> FeedPage

    /// Repeats revocations that the store may have lost in a failover. Ends those of the sessions that live, with the
    /// reason `lostInFailover`, and appends all that the feed does not have. May be called by several processes at once.
    func reassert(_ revoked: [SessionID], at now: Instant) async throws -> Committed<Void>

    /// Appends to the record of events.
    func record(_ events: [SecurityEvent]) async throws -> Committed<Void>

    /// The events that match the query, oldest first, after the cursor; nil starts at the beginning of the record.
    func events(_ query: EventQuery, after cursor: EventCursor?, limit: Int) async throws -> EventPage

    /// Returns events that other processes (the command line) recorded without logging them, oldest first, and marks
    /// them as logged. If several servers call this at the same time, each event goes to exactly one.
    func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent]

    /// Deletes up to `limit` rows of each kind that are no longer needed. A session stays while one that was handed over
    /// from it is live: a logout with its cookie ends them all. One that was handed over and revoked goes a day later.
    /// - Returns: the number of deleted rows.
    func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int

    /// Makes a durable write, as every other method does.
    /// - Throws: if the store could not save a login now.
    func ping() async throws

    /// The number of sessions that are neither expired nor revoked.
    func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int

    /// The time of a clock that all instances on this store share, and by which they decide. nil for a store of one
    /// machine: the clock of that machine counts.
    var sharedTime: SharedTime? { get }

    /// The allowances that all instances on this store share, for the limits of logins and sign-ups. nil for a store of
    /// one machine: each process counts for itself.
    var sharedAllowances: (any AllowanceStore)? { get }
}

extension SessionStore {
    /// nil.
    public var sharedTime: SharedTime? { nil }
    /// nil.
    public var sharedAllowances: (any AllowanceStore)? { nil }
}

extension SessionStore {
    /// As above, where no credential was checked.
    package func update<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        try await update(id, checking: nil, decide)
    }
}

/// Which sessions are meant.
public enum SessionSelection: Hashable, Sendable {
    case id(SessionID)
    /// Leaves the excepted session and its parent alone: without the parent, it would end.
    case ofSubject(Subject, except: SessionID?)
    /// The session, and all that were handed over from it.
    case family(of: SessionID)
    case createdBefore(Instant)
    case all

    /// The session that the selection leaves alone, if it names one.
    package var excepted: SessionID? {
        switch self {
        case .ofSubject(_, let except): except
        case .id, .family, .createdBefore, .all: nil
        }
    }
}

/// A request that carried an access token.
public struct Sighting: Hashable, Sendable {
    /// The session of the token (claim `sid`).
    public let session: SessionID
    /// The generation of the token.
    public let generation: Int
    /// When the request arrived.
    public let time: Instant

    package init(session: SessionID, generation: Int, time: Instant) {
        self.session = session
        self.generation = generation
        self.time = time
    }
}
