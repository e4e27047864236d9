@testable import CloakroomCore

extension Session {
    /// A session right after login.
    static func example(at now: Instant = .example, under policy: SessionPolicy = SessionPolicy()) -> Session {
        Session(
            id: SessionID("s"), subject: Subject("u"), secret: Secret([1, 2, 3]), refreshKey: "k0",
            details: Details(
                client: .browser, remembered: false, userAgent: "", address: "",
                evidence: Evidence(.password, at: now)),
            at: now, under: policy)
    }

    /// Presents a generation to a renewal, with a window of 30 seconds and a delay of 2 seconds.
    mutating func refresh(
        _ generation: Int, at now: Instant = .example, under policy: SessionPolicy = SessionPolicy()
    ) -> RefreshAnswer {
        refresh(presenting: .generation(generation), at: now, under: policy, signingWith: "k9")
    }

    /// Presents a generation together with the password.
    mutating func stepUp(
        _ generation: Int, at now: Instant = .example, under policy: SessionPolicy = SessionPolicy()
    ) -> RefreshAnswer {
        stepUp(
            with: Evidence(.password, at: now), presenting: .generation(generation), at: now, under: policy,
            signingWith: "k9")
    }
}

/// The states of a session at generation 5, at the time `Instant.example`.
enum Condition: CaseIterable {
    case handedOutNow, pending, windowOpen, windowClosed, neverOpened

    var session: Session {
        let now = Instant.example
        var session = Session.example(at: now - .minutes(5))
        session.generation = 5
        session.stragglersFrom = 4
        session.rotatedAt = now - .minutes(2)
        session.handedOutAt = now - .minutes(2)
        session.refreshKey = "k5"
        switch self {
        case .handedOutNow:
            session.confirmation = .pending
            session.handedOutAt = now - Span(milliseconds: 1999)
        case .pending:
            session.confirmation = .pending
            session.handedOutAt = now - .seconds(2)
        case .windowOpen: session.confirmation = .confirmed(windowOpenedAt: now - Span(milliseconds: 29_999))
        case .windowClosed: session.confirmation = .confirmed(windowOpenedAt: now - .seconds(30))
        case .neverOpened: session.confirmation = .confirmed(windowOpenedAt: nil)
        }
        return session
    }
}

extension RefreshAnswer {
    static let reused = RefreshAnswer.denied(.refreshTokenReused)
}

extension Instant {
    static let example = Instant(milliseconds: 1_800_000_000_000)
}

extension PresentedRefresh {
    static func generation(_ generation: Int) -> PresentedRefresh {
        PresentedRefresh(generation: generation, issuedAt: .example - .seconds(7), key: "k\(generation)")
    }
}
