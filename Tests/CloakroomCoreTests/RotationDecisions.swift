@testable import CloakroomCore

/// Caches the decisions of the rules. There are few different situations, and the walk reaches each about a million
/// times.
struct RotationDecisions {
    /// The operation of a request.
    enum Question: Int {
        case refresh, stepUp, stepUpByAccess, sighting, handOver
    }

    struct Decision {
        var answer: RefreshAnswer
        var handsOut: Bool
        /// Whether the response has the level of a step-up that was made after the theft.
        var isFresh: Bool
        /// For a request for a code; its generations are relative as in `after`.
        var code: RotationCode?
        /// Whether codes that were made before have become worthless.
        var withdraws: Bool
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
    private let policy: SessionPolicy
    private var decided: [Situation: Decision] = [:]

    init(rules: RotationRules, openWindows: Int) {
        self.rules = rules
        policy = SessionPolicy(stragglerWindow: Self.window, reissueDelay: .zero, openWindows: openWindows)
    }

    private static let now = Instant(milliseconds: 1_800_000_000_000)
    private static let window = Span.seconds(30)
    /// The current generation of the real `Session` that the rules decide on.
    private static let base = 1000
    private static let fresh = Evidence(.password, at: now)
    private static let old = Evidence(.password, at: now - .minutes(1))
    /// Times just inside of a window, each different, so that the result shows from which of them a rule counted.
    private static let opened = now - Span(milliseconds: window.milliseconds - 100)
    private static let rotated = now - Span(milliseconds: window.milliseconds - 101)
    private static let longAgo = now - window
    /// The opening of the window of an earlier generation, by its place.
    private static func earlier(_ index: Int) -> Instant {
        now - Span(milliseconds: window.milliseconds - Int64(index + 1))
    }
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
        var answer = decision
        let base = row.generation
        answer.code?.shift { $0 + base }
        row.become(decision.after, at: mark)
        return answer
    }

    private func ask(
        _ question: Question, _ ahead: Int, raisingWith shown: Evidence, _ row: RotationRow
    ) -> Decision {
        let before = session(row)
        var session = before
        var presented = PresentedRefresh(
            generation: Self.base + ahead, issuedAt: Self.longAgo - .minutes(1), key: "key")
        let ruling: RotationRules.Ruling
        switch question {
        case .refresh:
            ruling = rules.refresh(&session, presented, Self.now, policy)
        case .stepUp:
            ruling = rules.stepUp(&session, shown, presented, Self.now, policy)
        case .stepUpByAccess:
            presented = rules.held(session, presented.generation, Self.now, policy)
            ruling = rules.stepUp(&session, shown, presented, Self.now, policy)
        case .handOver:
            ruling = rules.handOver(&session, presented, Self.now, policy)
        case .sighting:
            rules.confirm(&session, presented.generation, Self.now, policy)
            ruling = .init(.served)
        }
        var given = [ruling.handsOut ? session.authentication : rules.level(session, presented.generation)]
        if question == .handOver {
            given.append(session.factors(after: ruling.answer, presenting: presented.generation).authentication)
        }
        return Decision(
            answer: ruling.answer, handsOut: ruling.handsOut, isFresh: given.contains(Self.fresh.authentication),
            code: question == .handOver ? code(session, ruling) : nil,
            withdraws: rules.withdraws(before, session), after: after(session))
    }

    private func code(_ session: Session, _ ruling: RotationRules.Ruling) -> RotationCode {
        let (point, confirms) = rules.code(session, ruling.answer)
        return RotationCode(
            generation: point.generation - Self.base, sent: ruling.handsOut ? session.generation - Self.base : nil,
            confirms: confirms.map { $0 - Self.base }, isProvisional: point.isProvisional)
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
        session.details.handOverEpoch = 0
        session.confirmation =
            Self.time(row.confirmation, opened: Self.opened).map { .confirmed(windowOpenedAt: $0) } ?? .pending
        let windows = row.earlierWindows.enumerated().compactMap { index, window in
            Self.time(window.confirmation, opened: Self.earlier(index)).map {
                Session.EarlierWindow(generation: Self.base - row.generation + window.generation, openedAt: $0)
            }
        }
        session.details.earlierWindows = windows.isEmpty ? nil : windows
        return session
    }

    private static func time(_ confirmation: RotationRow.Confirmation, opened: Instant) -> Instant? {
        switch confirmation {
        case .pending: nil
        case .open: opened
        case .ahead: ahead
        case .closed: longAgo
        }
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
        case .confirmed(let openedAt): row.confirmation = openedAt.map(Self.confirmation) ?? .closed
        }
        row.earlierWindows = (session.earlierWindows ?? []).map {
            .init(generation: $0.generation - Self.base, confirmation: Self.confirmation($0.openedAt))
        }
        return row
    }

    private static func confirmation(_ openedAt: Instant) -> RotationRow.Confirmation {
        openedAt == ahead ? .ahead : symbol(openedAt).map { .open($0) } ?? .closed
    }

    private static func symbol(_ instant: Instant) -> Int? {
        switch instant {
        case now: Mark.now
        case opened: Mark.window
        case rotated: Mark.rotation
        default: (0..<Mark.mostEarlier).first { earlier($0) == instant }.map { Mark.earlier - $0 }
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
    /// The opening of the first window of an earlier generation before the decision; the next is one less.
    static let earlier = -4
    static let mostEarlier = 16
}

extension RotationRow {
    fileprivate mutating func become(_ after: RotationRow, at now: Int) {
        let before = self
        self = after
        generation += before.generation
        stragglersFrom += before.generation
        isRotatedByThief = before.isRotatedByThief
        confirmation = before.resolve(after.confirmation, at: now)
        for index in earlierWindows.indices {
            earlierWindows[index].generation += before.generation
            earlierWindows[index].confirmation = before.resolve(after.earlierWindows[index].confirmation, at: now)
        }
        if let symbol = after.rotation { rotation = symbol == Mark.now ? now : before.rotation }
    }

    /// The confirmation with a mark of the walk in place of one of a decision on this row.
    private func resolve(_ confirmation: Confirmation, at now: Int) -> Confirmation {
        guard case .open(let mark) = confirmation else { return confirmation }
        return switch mark {
        case Mark.now: .open(now)
        case Mark.window: self.confirmation
        case Mark.rotation: rotation.map { .open($0) } ?? .closed
        default: earlierWindows[Mark.earlier - mark].confirmation
        }
    }
}
