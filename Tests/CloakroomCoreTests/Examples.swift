@testable import CloakroomCore

extension Session {
    /// A session as login makes it.
    static func example(at now: Instant = .example, under policy: SessionPolicy = SessionPolicy()) -> Session {
        Session(
            id: SessionID("s"), subject: Subject("u"), client: .browser, secret: Secret([1, 2, 3]), refreshKey: "k0",
            remembered: false, userAgent: "", address: "", authentication: .password(at: now), at: now, under: policy)
    }
}

extension Instant {
    static let example = Instant(milliseconds: 1_800_000_000_000)
}

extension PresentedRefresh {
    static func generation(_ generation: Int) -> PresentedRefresh {
        PresentedRefresh(generation: generation, issuedAt: .example - .seconds(7), key: "k\(generation)")
    }
}
