package import CloakroomCore

/// Keeps the issuer's keys for many instances, one row for each key. A key is sealed before the store gets it, and the
/// store cannot open it.
///
/// A row is added, and marked when the key ends, but never deleted while an instance may remember the key. An instance
/// can therefore put back what the store has lost (a failover, a restored backup), and brings back no key that was ended.
///
/// A conforming store passes `KeyStoreContract` of CloakroomTesting.
package protocol KeyStore: Sendable {
    /// Every row, in the order of their ids. Reads the newest state that is committed, never that of a replica.
    func keyRows() async throws -> [KeyRow]

    /// Makes the change durable, as one atomic step.
    func change(_ change: KeyTableChange) async throws
}

/// A key as a store keeps it.
package struct KeyRow: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case live(sealed: [UInt8])
        /// No live token can need it. The mark is deleted after `KeyTableChange.retiredMarksLast`.
        case retired
        /// An operator removed it because it was stolen. The mark stays.
        case removed
    }

    package let identity: KeyIdentity
    package let state: State
    /// The longest lifetime of a session on any instance that has used the key.
    package let longestSession: Span

    package init(_ identity: KeyIdentity, _ state: State, longestSession: Span) {
        self.identity = identity
        self.state = state
        self.longestSession = longestSession
    }

    package var id: String { identity.id }
}

/// What a row says about its key in the clear. The seal of the key covers it: in a row with another identity the key does
/// not open.
package struct KeyIdentity: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case signing, refresh
    }

    /// The `kid`, unique among all keys.
    package let id: String
    package let kind: Kind
    package let algorithm: String
    /// Counts the keys of one kind and algorithm, and is unique among them: if several instances rotate at once, the first
    /// takes the period, and all use its key. nil for a mark that was put back.
    package let period: Int64?
    /// By the clock that the instances share, as `signsFrom`.
    package let createdAt: Instant
    package let signsFrom: Instant

    package init(
        id: String, kind: Kind, algorithm: String, period: Int64?, createdAt: Instant, signsFrom: Instant
    ) {
        self.id = id
        self.kind = kind
        self.algorithm = algorithm
        self.period = period
        self.createdAt = createdAt
        self.signsFrom = signsFrom
    }
}

/// A change of the rows. Each part may be made twice without harm.
package struct KeyTableChange: Sendable {
    /// Another seal of a live key; no change if the seal is not `old` any more.
    package struct Reseal: Hashable, Sendable {
        package let id: String
        package let old: [UInt8]
        package let new: [UInt8]

        package init(id: String, old: [UInt8], new: [UInt8]) {
            self.id = id
            self.old = old
            self.new = new
        }
    }

    /// Live rows. A row whose id or whose period exists is skipped, also if that row is a mark.
    package var added: [KeyRow] = []
    /// Ids of live keys.
    package var retired: [String] = []
    /// Ids of live keys, or of keys of which the store has no row: it then adds the mark.
    package var removed: [String] = []
    package var resealed: [Reseal] = []
    /// Raises that of every live row that has a smaller one.
    package var longestSession = Span.zero

    package init() {}

    package var isEmpty: Bool {
        added.isEmpty && retired.isEmpty && removed.isEmpty && resealed.isEmpty && longestSession == .zero
    }

    /// How long a mark of a retired key is kept. An instance that has not read the store for as long may put the key back,
    /// which does no harm: no live token needs it.
    package static let retiredMarksLast = Span.days(30)
}
