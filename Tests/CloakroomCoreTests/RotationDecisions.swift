@testable import CloakroomCore

/// Caches the decisions of the rules. There are few different situations, and the walk reaches each about a million
/// times.
struct RotationDecisions {
    /// The operation of a request.
    enum Question: Int {
        case refresh, stepUp, stepUpByAccess, sighting
    }

    struct Decision {
        var answer: RefreshAnswer
        var handsOut: Bool
        /// Whether the response has the level of a step-up that was made after the theft.
        var isFresh: Bool
        /// The row after the decision. Its generations are relative to the current one before, and its marks are those
        /// of `Mark`.
        fileprivate var after: RotationRow
    }

    private struct Situation: Hashable {
        var shape: Int
        var ahead: Int
        var question: Int
    }

    private let rules: RotationRules
    private var decided: [Situation: Decision] = [:]

    init(rules: RotationRules) {
        self.rules = rules
    }

    private static let now = Instant(milliseconds: 1_800_000_000_000)
    private static let policy = SessionPolicy(stragglerWindow: .seconds(30), reissueDelay: .zero)
    /// The current generation of the real `Session` that the rules decide on.
    private static let base = 1000
    private static let fresh = Evidence(.password, at: now)
    private static let old = Evidence(.password, at: now - .minutes(1))
    /// Times just inside of a window, each different, so that the result shows from which of them a rule counted.
    private static let opened = now - Span(milliseconds: policy.stragglerWindow.milliseconds - 1)
    private static let rotated = now - Span(milliseconds: policy.stragglerWindow.milliseconds - 2)
    private static let longAgo = now - policy.stragglerWindow
    /// The opening of a window, by a clock that was set back afterwards.
    private static let ahead = now + .minutes(60)

    /// Applies the rules and changes the row accordingly; times that are set now get the mark `mark`.
    mutating func decide(
        _ question: Question, presenting generation: Int, isVictimOfTheft: Bool, at mark: Int, _ row: inout RotationRow
    ) -> Decision {
        let ahead = generation - row.generation
        let situation = Situation(
            shape: row.shape, ahead: ahead, question: question.rawValue * 2 + (isVictimOfTheft ? 1 : 0))
        let decision =
            decided[situation] ?? ask(question, ahead, raisingWith: isVictimOfTheft ? Self.fresh : Self.old, row)
        decided[situation] = decision
        row.become(decision.after, at: mark)
        return decision
    }

    private func ask(
        _ question: Question, _ ahead: Int, raisingWith shown: Evidence, _ row: RotationRow
    ) -> Decision {
        var session = session(row)
        var presented = PresentedRefresh(
            generation: Self.base + ahead, issuedAt: Self.longAgo - .minutes(1), key: "key")
        let ruling: RotationRules.Ruling
        switch question {
        case .refresh:
            ruling = rules.refresh(&session, presented, Self.now, Self.policy)
        case .stepUp:
            ruling = rules.stepUp(&session, shown, presented, Self.now, Self.policy)
        case .stepUpByAccess:
            presented = rules.held(session, presented.generation, Self.now, Self.policy)
            ruling = rules.stepUp(&session, shown, presented, Self.now, Self.policy)
        case .sighting:
            rules.confirm(&session, presented.generation, Self.now, Self.policy)
            ruling = .init(.served)
        }
        let given = ruling.handsOut ? session.authentication : rules.level(session, presented.generation)
        return Decision(
            answer: ruling.answer, handsOut: ruling.handsOut, isFresh: given == Self.fresh.authentication,
            after: after(session))
    }

    private func session(_ row: RotationRow) -> Session {
        var session = Session.example(at: Self.longAgo - .minutes(5))
        session.generation = Self.base
        session.rotatedAt = row.rotation == nil ? Self.longAgo : Self.rotated
        session.handedOutAt = session.rotatedAt
        session.stragglersFrom = Self.base - row.generation + row.stragglersFrom
        session.isReissued = row.isReissued
        session.details.evidence = row.isFresh ? Self.fresh : Self.old
        session.details.earlierEvidence = row.hasEarlierLevel ? Self.old : nil
        switch row.confirmation {
        case .pending: session.confirmation = .pending
        case .open: session.confirmation = .confirmed(windowOpenedAt: Self.opened)
        case .ahead: session.confirmation = .confirmed(windowOpenedAt: Self.ahead)
        case .closed: session.confirmation = .confirmed(windowOpenedAt: Self.longAgo)
        }
        return session
    }

    private func after(_ session: Session) -> RotationRow {
        var row = RotationRow()
        row.generation = session.generation - Self.base
        row.stragglersFrom = session.stragglersFrom - Self.base
        row.isReissued = session.isReissued
        row.isFresh = session.evidence == Self.fresh
        // An earlier level that equals the current one has no effect.
        row.hasEarlierLevel = row.isFresh && session.earlierEvidence == Self.old
        if rules.countsFromRotation { row.rotation = Self.symbol(session.rotatedAt) }
        switch session.confirmation {
        case .pending: row.confirmation = .pending
        case .confirmed(Self.ahead): row.confirmation = .ahead
        case .confirmed(let openedAt): row.confirmation = openedAt.flatMap(Self.symbol).map { .open($0) } ?? .closed
        }
        return row
    }

    private static func symbol(_ instant: Instant) -> Int? {
        switch instant {
        case now: Mark.now
        case opened: Mark.window
        case rotated: Mark.rotation
        default: nil
        }
    }
}

/// The marks in the row of a decision.
private enum Mark {
    static let now = -1
    /// The opening of the window before the decision.
    static let window = -2
    /// The rotation before the decision.
    static let rotation = -3
}

extension RotationRow {
    fileprivate mutating func become(_ after: RotationRow, at now: Int) {
        let before = self
        self = after
        generation += before.generation
        stragglersFrom += before.generation
        isRotatedByThief = before.isRotatedByThief
        switch after.confirmation {
        case .open(Mark.now): confirmation = .open(now)
        case .open(Mark.window): confirmation = before.confirmation
        case .open: confirmation = before.rotation.map { .open($0) } ?? .closed
        case .pending, .ahead, .closed: break
        }
        if let symbol = after.rotation { rotation = symbol == Mark.now ? now : before.rotation }
    }
}
