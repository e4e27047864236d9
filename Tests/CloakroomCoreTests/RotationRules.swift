@testable import CloakroomCore

/// The rules that a walk goes by: the real ones, or the real ones with one thing changed.
struct RotationRules {
    var refresh: @Sendable (inout Session, PresentedRefresh, Instant, SessionPolicy) -> RefreshAnswer
    var confirm: @Sendable (inout Session, Int, Instant, SessionPolicy) -> Void

    static let real = RotationRules(
        refresh: { $0.refresh(presenting: $1, at: $2, under: $3, signingWith: "key") },
        confirm: { $0.confirm(generation: $1, at: $2, under: $3) })

    /// The window is counted from the rotation.
    static let windowOpensAtRotation = RotationRules(
        refresh: { session, presented, now, policy in
            let answer = real.refresh(&session, presented, now, policy)
            session.countWindowFromRotation()
            return answer
        },
        confirm: { session, generation, now, policy in
            real.confirm(&session, generation, now, policy)
            session.countWindowFromRotation()
        })

    /// The current generation is rotated whenever it is presented.
    static let rotatesInsideWindow = RotationRules(
        refresh: { session, presented, now, policy in
            let answer = real.refresh(&session, presented, now, policy)
            return answer == .refreshed ? session.rotate(at: now, signingWith: "key") : answer
        },
        confirm: real.confirm)

    /// A straggler is given the current tokens.
    static let stragglersGetTokens = RotationRules(
        refresh: { session, presented, now, policy in
            let answer = real.refresh(&session, presented, now, policy)
            return answer == .straggler ? .refreshed : answer
        },
        confirm: real.confirm)
}

extension Session {
    fileprivate mutating func countWindowFromRotation() {
        if case .confirmed(.some) = confirmation { confirmation = .confirmed(windowOpenedAt: rotatedAt) }
    }
}

/// What the rules decide, asked once for each situation: there are few, and the walk meets each a million times.
struct RotationDecisions {
    struct Decision {
        var answer: RefreshAnswer
        var store: WalkState.Store
        /// How far the store's generation moved.
        var shift: Int8
    }

    private struct Situation: Hashable {
        var store: WalkState.Store
        var generation: Int8
    }

    private let rules: RotationRules
    private let window: Int
    private var refreshes: [Situation: Decision] = [:]
    private var confirmations: [Situation: WalkState.Store] = [:]

    private static let now = Instant(milliseconds: 1_800_000_000_000)
    private static let tick = Span.seconds(1)
    /// The store's generation in the session that is really asked.
    private static let base = 1000

    init(rules: RotationRules, window: Int) {
        self.rules = rules
        self.window = window
    }

    private var policy: SessionPolicy {
        SessionPolicy(stragglerWindow: .seconds(Int64(window)))
    }

    mutating func refresh(_ store: WalkState.Store, presenting generation: Int8) -> Decision {
        let situation = Situation(store: store, generation: generation)
        if let known = refreshes[situation] { return known }
        var session = session(store)
        let presented = PresentedRefresh(
            generation: Self.base + Int(generation), issuedAt: Self.now - .minutes(1), key: "key")
        let answer = rules.refresh(&session, presented, Self.now, policy)
        let decision = Decision(
            answer: answer, store: self.store(session), shift: Int8(session.generation - Self.base))
        refreshes[situation] = decision
        return decision
    }

    mutating func confirm(_ store: WalkState.Store, seen generation: Int8) -> WalkState.Store {
        let situation = Situation(store: store, generation: generation)
        if let known = confirmations[situation] { return known }
        var session = session(store)
        rules.confirm(&session, Self.base + Int(generation), Self.now, policy)
        confirmations[situation] = self.store(session)
        return self.store(session)
    }

    private func session(_ store: WalkState.Store) -> Session {
        var session = Session.example(at: Self.now - .minutes(1))
        session.generation = Self.base
        session.rotatedAt = Self.ago(store.rotationAge)
        switch store.confirmation {
        case .pending: session.confirmation = .pending
        case .open(let age): session.confirmation = .confirmed(windowOpenedAt: Self.ago(age))
        case .closed: session.confirmation = .confirmed(windowOpenedAt: nil)
        }
        return session
    }

    private func store(_ session: Session) -> WalkState.Store {
        func age(_ instant: Instant) -> Int8 {
            Int8(min(Int64(window), (Self.now - instant).milliseconds / Self.tick.milliseconds))
        }
        switch session.confirmation {
        case .pending:
            return .init(confirmation: .pending, rotationAge: age(session.rotatedAt))
        case .confirmed(let openedAt):
            let openAge = openedAt.map(age) ?? Int8(window)
            return .init(
                confirmation: openAge >= window ? .closed : .open(openAge), rotationAge: age(session.rotatedAt))
        }
    }

    private static func ago(_ ticks: Int8) -> Instant {
        Instant(milliseconds: now.milliseconds - Int64(ticks) * tick.milliseconds)
    }
}
