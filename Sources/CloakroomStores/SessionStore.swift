public import CloakroomCore

/// Keeps sessions, the feed of revocations and the record of events. Each method is one atomic use case: it happens as a
/// whole, durably, or not at all.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol SessionStore: Sendable {
    /// Saves a new session, provided that its account is still the one whose credential was checked, ends the one that it
    /// replaces in the browser and those unused for longest beyond the number that the subject may have, and remembers
    /// the network, in place of the one seen least recently beyond `NetworkAddress.rememberedPerSubject`.
    /// - Returns: nil, with nothing changed, when the account was disabled or its credential changed meanwhile.
    func begin(_ start: SessionStart, recording events: [SecurityEvent]) async throws -> Committed<Void>?

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

    func session(_ id: SessionID) async throws -> Session?

    /// The living sessions that `selection` names, newest first, those of the page.
    func sessions(_ selection: SessionSelection, _ page: SessionPage) async throws -> [Session]

    /// Ends up to `limit` of the sessions that `selection` names, in the order of their ids, as one atomic step: many are
    /// ended in many steps, so that a renewal waits for one of them and not for all.
    ///
    /// Every session that had begun before the first step is met by the last.
    /// - Parameter position: where the step before ended; nil for the first.
    /// - Returns: where the next step begins; nil when this was the last.
    func revoke(
        _ selection: SessionSelection, reason: RevocationReason, at now: Instant, after position: SessionID?,
        limit: Int
    ) async throws -> Committed<SessionID?>

    /// Takes note of access tokens that came in; sessions that are gone are passed over.
    func confirm(_ sightings: [Sighting], under policy: SessionPolicy) async throws

    /// A part of the feed of revocations, as long as the store chooses. Start with nil, and go on until a page is empty.
    func revocations(after cursor: FeedCursor?) async throws -> FeedPage

    /// Appends to the record of events.
    func record(_ events: [SecurityEvent]) async throws -> Committed<Void>

    /// The events that `query` names, oldest first, those after the cursor; nil for the start of the record.
    func events(_ query: EventQuery, after cursor: EventCursor?, limit: Int) async throws -> EventPage

    /// Takes over events that other processes have recorded without logging them (the command line), oldest first. Of
    /// servers that ask at the same time one gets an event.
    func takeUnannouncedEvents(limit: Int) async throws -> [SecurityEvent]

    /// Deletes up to `limit` rows of each kind that nothing can need any more.
    /// - Returns: how many were deleted.
    func sweep(at now: Instant, under policy: SessionPolicy, limit: Int) async throws -> Int

    /// Writes something, durably, as every other method does.
    /// - Throws: while a login could not be saved.
    func ping() async throws

    /// The number of sessions that can still be used.
    func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int
}

extension SessionStore {
    /// As above, where no credential was checked.
    public func update<Value: Sendable>(
        _ id: SessionID, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        try await update(id, checking: nil, decide)
    }
}

/// Which sessions are meant.
public enum SessionSelection: Hashable, Sendable {
    case id(SessionID)
    case ofSubject(Subject, except: SessionID?)
    case createdBefore(Instant)
    case all
}

/// An access token of this generation came in at this time.
public struct Sighting: Hashable, Sendable {
    /// Whose token it was.
    public let session: SessionID
    /// Which generation the token was of.
    public let generation: Int
    /// When it came in.
    public let time: Instant

    /// A token that came in.
    public init(session: SessionID, generation: Int, time: Instant) {
        self.session = session
        self.generation = generation
        self.time = time
    }
}
