import Testing

@testable import CloakroomCore

@Suite struct SessionTimeTests {
    private static let now = Instant.example
    private static let policy = SessionPolicy()

    @Test(
        "renew_in: the time until a newer generation can be returned",
        arguments: [
            (Condition.handedOutNow, Int64(1)), (.pending, 0), (.windowOpen, 1), (.windowClosed, 0), (.neverOpened, 0),
        ])
    func renewableIn(_ condition: Condition, _ milliseconds: Int64) {
        let wait = condition.session.renewableIn(at: Self.now, under: Self.policy)
        #expect(wait == Span(milliseconds: milliseconds))
    }

    @Test("after that time a renewal rotates")
    func renewsThen() {
        var session = Condition.pending.session
        _ = session.refresh(5)
        let wait = session.renewableIn(at: Self.now, under: Self.policy)
        #expect(wait == .seconds(30))
        #expect(session.refresh(5, at: Self.now + wait) == .rotated)
    }

    @Test("a clock that is set back neither ends a session nor moves its last activity back")
    func clockSetBack() {
        var session = Condition.pending.session
        _ = session.refresh(5)
        let seen = session.lastSeenAt
        #expect(session.refresh(5, at: Self.now - .minutes(60)) == .served)
        #expect(session.refresh(4, at: Self.now - .minutes(60)) == .straggler)
        #expect(session.lastSeenAt == seen)
    }

    @Test("a window whose opening is in the future, because the clock was set back, starts again once")
    func windowAfterClockSetBack() {
        var session = Condition.pending.session
        _ = session.refresh(5)
        let back = Self.now - .days(1)
        #expect(session.renewableIn(at: back, under: Self.policy) == .seconds(30))
        #expect(session.refresh(4, at: back) == .straggler)
        let late = back + Span(milliseconds: 29_999)
        #expect(session.refresh(5, at: late) == .served)
        #expect(session.refresh(4, at: late) == .straggler)
        var (honest, stolen) = (session, session)
        #expect(honest.refresh(5, at: back + .seconds(30)) == .rotated)
        #expect(stolen.refresh(4, at: back + .seconds(30)) == .denied(.refreshTokenReused))
    }

    @Test("a clock that is set back delays a step-up by one window at most")
    func stepUpAfterClockSetBack() {
        var session = Condition.pending.session
        session.isReissued = true
        _ = session.refresh(5)
        let back = Self.now - .days(1)
        #expect(session.stepUp(5, at: back) == .postponed(.seconds(30)))
        #expect(session.stepUp(5, at: back + .seconds(30)) == .rotated)
    }

    @Test("the first reason for a revocation stands")
    func firstReason() {
        var session = Session.example()
        let first = session.revoke(.logout, at: Self.now)
        let second = session.revoke(.endedByUser, at: Self.now + .seconds(1))
        #expect(first && !second)
        #expect(session.revocation == .init(time: Self.now, reason: .logout))
    }

    @Test("a session ends when it was idle for too long, to the millisecond")
    func idle() {
        let policy = SessionPolicy(idleLifetime: .seconds(10))
        var session = Session.example(under: policy)
        var late = session
        #expect(session.refresh(0, at: Self.now + Span(milliseconds: 9_999), under: policy) == .rotated)
        #expect(late.refresh(0, at: Self.now + .seconds(10), under: policy) == .denied(.sessionExpired))
        #expect(late.stepUp(0, at: Self.now + .seconds(10), under: policy) == .denied(.sessionExpired))
        #expect(session.deadline(under: policy) == Self.now + Span(milliseconds: 19_999))
    }

    @Test("rotation never moves the absolute end")
    func absolute() {
        let policy = SessionPolicy(stragglerWindow: .zero, absoluteLifetime: .seconds(100))
        var session = Session.example(under: policy)
        for second in 1..<100 {
            _ = session.refresh(second - 1, at: Self.now + .seconds(Int64(second)), under: policy)
            #expect(session.refresh(second - 1, at: Self.now + .seconds(Int64(second)), under: policy) != .rotated)
            session.confirm(generation: second, at: Self.now + .seconds(Int64(second)), under: policy)
        }
        #expect(session.generation == 99)
        #expect(session.expiresAt == Self.now + .seconds(100))
        #expect(session.refresh(99, at: Self.now + .seconds(100), under: policy) == .denied(.sessionExpired))
    }

    @Test("an access token never outlives its session")
    func accessExpiry() {
        let short = SessionPolicy(accessTokenLifetime: .seconds(300), idleLifetime: .seconds(60))
        #expect(Session.example(under: short).accessTokenExpiry(at: Self.now, under: short) == Self.now + .seconds(60))
        #expect(Session.example().accessTokenExpiry(at: Self.now, under: Self.policy) == Self.now + .minutes(5))
    }
}

@Suite struct SightingTests {
    private static let now = Instant.example
    private static let policy = SessionPolicy()

    @Test("an access token of the current generation confirms it, an older one does not")
    func sighting() {
        var session = Condition.pending.session
        let older = session.confirm(generation: 4, at: Self.now, under: Self.policy)
        #expect(older, "the access token counts as activity")
        #expect(session.confirmation == .pending)
        let current = session.confirm(generation: 5, at: Self.now, under: Self.policy)
        #expect(current)
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now))
        let again = session.confirm(generation: 5, at: Self.now, under: Self.policy)
        #expect(!again)
        #expect(session.lastSeenAt == Self.now)
    }

    @Test("activity alone is saved only once in a while, more often if idleLifetime is short")
    func repeatedSighting() {
        for (idle, interval) in [(Span.days(30), Span.minutes(1)), (.seconds(60), .seconds(6))] {
            let policy = SessionPolicy(idleLifetime: idle)
            var session = Session.example(under: policy)
            let start = session.lastSeenAt
            let soon = session.confirm(
                generation: 0, at: start + interval - Span(milliseconds: 1), under: policy)
            #expect(!soon && session.lastSeenAt == start)
            let later = session.confirm(generation: 0, at: start + interval, under: policy)
            #expect(later && session.lastSeenAt == start + interval)
        }
    }

    @Test(
        "a request that is served without tokens is saved as rarely",
        arguments: [(Condition.handedOutNow, 4), (.windowOpen, 5), (.windowOpen, 4)])
    func served(_ condition: Condition, _ presented: Int) {
        var session = condition.session
        session.lastSeenAt = Self.now - Span(milliseconds: 59_999)
        let before = session
        _ = session.refresh(presented)
        #expect(session == before)
        session.lastSeenAt = Self.now - .minutes(1)
        _ = session.refresh(presented)
        #expect(session.lastSeenAt == Self.now)
    }

    @Test(
        "returned tokens and adoptions are saved as activity at once",
        arguments: [(Condition.pending, 4), (.windowClosed, 5), (.windowOpen, 6)])
    func touched(_ condition: Condition, _ presented: Int) {
        var session = condition.session
        session.lastSeenAt = Self.now - Span(milliseconds: 1)
        _ = session.refresh(presented)
        #expect(session.lastSeenAt == Self.now)
    }

    @Test("an access token does not revive an ended session")
    func lateSighting() {
        var revoked = Condition.pending.session
        revoked.revoke(.logout, at: Self.now)
        let revivesRevoked = revoked.confirm(generation: 5, at: Self.now, under: Self.policy)
        var expired = Condition.pending.session
        let revivesExpired = expired.confirm(generation: 5, at: Self.now + .days(31), under: Self.policy)
        #expect(!revivesRevoked && !revivesExpired)
        #expect(expired.confirmation == .pending)
    }
}
