@testable import CloakroomCore

/// One state of the walk. Generations are relative to the store's current one, which is 0.
struct WalkState: Hashable {
    /// What the store knows, with ages in ticks.
    struct Store: Hashable {
        enum Confirmation: Hashable {
            case pending
            /// The window opened so many ticks ago.
            case open(Int8)
            case closed
        }

        var confirmation = Confirmation.closed
        /// Ticks since the rotation, as far as a window can matter.
        var rotationAge: Int8 = 0
    }

    struct Message: Hashable {
        enum Kind: UInt8 {
            /// Presents the refresh token.
            case refresh
            /// Presents a live access token.
            case use
        }

        var kind: Kind
        var generation: Int8
        var age: Int8

        fileprivate var order: Int { (Int(generation) + 16) * 8 + Int(kind.rawValue) * 4 + Int(age) }
    }

    struct Backup: Hashable {
        var store: Store
        var generation: Int8
    }

    enum Party {
        case victim, thief
    }

    var store = Store()
    var jar: Int8 = 0
    var requests: [Message] = []
    var answers: [Message] = []
    var backup: Backup?
    /// What the thief holds; nil before the theft.
    var thief: Int8?
    /// Who caused the last rotation.
    var thiefRotatedLast = false
    /// Since the theft; counted to 2, beyond which nothing depends on it.
    var victimRotations: Int8 = 0
    var thiefRotations: Int8 = 0
    /// How often one party, since the theft, got the pending generation that the other had rotated to; counted to 3.
    var crossings: Int8 = 0

    /// Takes over what the store has become, and counts generations from there.
    mutating func become(_ store: Store, shiftedBy shift: Int8 = 0) {
        self.store = store
        guard shift != 0 else { return }
        jar -= shift
        thief = thief.map { $0 - shift }
        backup?.generation -= shift
        for index in requests.indices { requests[index].generation -= shift }
        for index in answers.indices { answers[index].generation -= shift }
    }

    /// Restoring stops the server: what was in flight is lost.
    mutating func restore() {
        guard let backup else { return }
        requests.removeAll()
        answers.removeAll()
        become(backup.store, shiftedBy: backup.generation)
    }

    mutating func tick(window: Int8) {
        store.tick(window: window)
        backup?.store.tick(window: window)
        for index in requests.indices { requests[index].age += 1 }
        for index in answers.indices { answers[index].age += 1 }
    }

    mutating func note(_ answer: RefreshAnswer, to party: Party) {
        guard thief != nil else { return }
        switch (answer, party) {
        case (.rotated, .victim):
            victimRotations = min(2, victimRotations + 1)
            thiefRotatedLast = false
        case (.rotated, .thief):
            thiefRotations = min(2, thiefRotations + 1)
            thiefRotatedLast = true
        case (.reissued, .victim) where thiefRotatedLast, (.reissued, .thief) where !thiefRotatedLast:
            crossings = min(3, crossings + 1)
        case (.reissued, _), (.refreshed, _), (.straggler, _), (.adopted, _), (.denied, _):
            break
        }
    }

    /// The same state in its one form: messages sorted, for their order means nothing; distances beyond every rule cut.
    func normalised() -> WalkState {
        var state = self
        state.jar = Self.cut(jar)
        state.thief = thief.map(Self.cut)
        if let backup { state.backup?.generation = max(-4, backup.generation) }
        for index in requests.indices { state.requests[index].generation = Self.cut(requests[index].generation) }
        for index in answers.indices { state.answers[index].generation = Self.cut(answers[index].generation) }
        state.requests.sort { $0.order < $1.order }
        state.answers.sort { $0.order < $1.order }
        return state
    }

    /// The rules tell 0, 1 and "more" behind apart, and "ahead"; how far ahead matters between messages.
    private static func cut(_ generation: Int8) -> Int8 {
        max(-3, min(8, generation))
    }
}

extension WalkState.Store {
    mutating func tick(window: Int8) {
        rotationAge = min(window, rotationAge + 1)
        if case .open(let age) = confirmation { confirmation = age + 1 >= window ? .closed : .open(age + 1) }
    }
}

extension RefreshAnswer {
    var isAlive: Bool {
        if case .denied = self { false } else { true }
    }

    var handsOutTokens: Bool {
        switch self {
        case .rotated, .refreshed, .reissued, .adopted: true
        case .straggler, .denied: false
        }
    }
}
