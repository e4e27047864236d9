import Testing

@testable import CloakroomCore

@Suite struct RefreshTests {
    static let now = Instant.example
    static let policy = SessionPolicy(stragglerWindow: .seconds(30))

    /// A session at generation 5, in one of the conditions of the table.
    enum Condition: CaseIterable {
        case pending, windowOpen, windowClosed, neverOpened

        var session: Session {
            var session = Session.example(at: now - .minutes(5))
            session.generation = 5
            session.rotatedAt = now - .minutes(2)
            session.refreshKey = "k5"
            switch self {
            case .pending: session.confirmation = .pending
            case .windowOpen: session.confirmation = .confirmed(windowOpenedAt: now - .seconds(29))
            case .windowClosed: session.confirmation = .confirmed(windowOpenedAt: now - .seconds(30))
            case .neverOpened: session.confirmation = .confirmed(windowOpenedAt: nil)
            }
            return session
        }
    }

    private func refresh(
        _ session: inout Session, _ generation: Int, at now: Instant = now, under policy: SessionPolicy = policy
    ) -> RefreshAnswer {
        session.refresh(presenting: .generation(generation), at: now, under: policy, signingWith: "k9")
    }

    static let table: [(Condition, presented: Int, RefreshAnswer, becomes: Int)] = [
        (.pending, 5, .refreshed, 5), (.windowOpen, 5, .refreshed, 5), (.windowClosed, 5, .rotated, 6),
        (.neverOpened, 5, .rotated, 6),
        (.pending, 4, .reissued, 5), (.windowOpen, 4, .straggler, 5), (.windowClosed, 4, .reused, 5),
        (.neverOpened, 4, .reused, 5),
        (.pending, 3, .reused, 5), (.windowOpen, 3, .reused, 5), (.windowClosed, 0, .reused, 5),
        (.pending, 6, .adopted, 6), (.windowOpen, 9, .adopted, 9), (.windowClosed, 6, .adopted, 6),
    ]

    @Test("every row of the protocol's table", arguments: table)
    func row(_ condition: Condition, _ presented: Int, _ answer: RefreshAnswer, _ generation: Int) {
        var session = condition.session
        #expect(refresh(&session, presented) == answer)
        #expect(session.generation == generation)
        #expect((session.revocation != nil) == (answer == .reused))
    }

    @Test("a new session starts at generation 0, confirmed, its window closed: the first renewal rotates")
    func start() {
        var session = Session.example()
        #expect(session.generation == 0)
        #expect(session.confirmation == .confirmed(windowOpenedAt: nil))
        #expect(refresh(&session, 0, at: .example) == .rotated)
        #expect(session.confirmation == .pending)
        #expect(session.rotatedAt == .example)
        #expect(session.refreshKey == "k9")
    }

    @Test("presenting a pending generation confirms it and opens the window now")
    func confirms() {
        var session = Condition.pending.session
        _ = refresh(&session, 5)
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now))
        #expect(session.rotatedAt == Self.now - .minutes(2), "the same generation keeps its iat, and so its bytes")
        #expect(session.refreshKey == "k5")
    }

    @Test("with a window of no length a pending generation is confirmed and rotated at once")
    func noWindow() {
        var session = Condition.pending.session
        #expect(refresh(&session, 5, under: SessionPolicy(stragglerWindow: .zero)) == .rotated)
    }

    @Test("the window is fixed: nothing that happens inside it moves its end")
    func fixedWindow() {
        var session = Condition.pending.session
        for second in 0..<30 { #expect(refresh(&session, 5, at: Self.now + .seconds(Int64(second))) == .refreshed) }
        #expect(refresh(&session, 5, at: Self.now + .seconds(30)) == .rotated)
    }

    @Test("the last moment of the window is inside it, its end is not")
    func windowBounds() {
        var inside = Condition.pending.session
        _ = refresh(&inside, 5)
        var outside = inside
        #expect(refresh(&inside, 4, at: Self.now + Span(milliseconds: 29_999)) == .straggler)
        #expect(refresh(&outside, 4, at: Self.now + .seconds(30)) == .reused)
    }

    @Test("reissuing leaves the generation pending, however often, however late")
    func reissue() {
        var session = Condition.pending.session
        for day in 0..<5 { #expect(refresh(&session, 4, at: Self.now + .days(Int64(day))) == .reissued) }
        #expect(session.confirmation == .pending)
    }

    @Test("adoption continues at what was presented, with its iat and key, so its bytes stay the same")
    func adoption() {
        var session = Condition.windowClosed.session
        let presented = PresentedRefresh(generation: 8, issuedAt: Self.now - .seconds(77), key: "k8")
        _ = session.refresh(presenting: presented, at: Self.now, under: Self.policy, signingWith: "k9")
        #expect(session.generation == 8)
        #expect(session.rotatedAt == Self.now - .seconds(77))
        #expect(session.refreshKey == "k8")
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now))
    }

    @Test("a spent token revokes the session, for the reason and at the time")
    func reuse() {
        var session = Condition.windowClosed.session
        _ = refresh(&session, 3)
        #expect(session.revocation == .init(time: Self.now, reason: .refreshTokenReused))
        #expect(refresh(&session, 5) == .denied(.sessionRevoked))
    }

    @Test("a revoked session answers nothing else, whatever is presented", arguments: [3, 4, 5, 6])
    func revoked(_ presented: Int) {
        var session = Condition.windowOpen.session
        session.revoke(.logout, at: Self.now)
        let before = session
        #expect(refresh(&session, presented) == .denied(.sessionRevoked))
        #expect(session == before)
    }

    @Test("the first reason for a revocation stands")
    func firstReason() {
        var session = Session.example()
        let first = session.revoke(.logout, at: .example)
        let second = session.revoke(.endedByUser, at: .example + .seconds(1))
        #expect(first && !second)
        #expect(session.revocation == .init(time: .example, reason: .logout))
    }

    @Test("a session ends when it was idle for too long, to the millisecond")
    func idle() {
        let policy = SessionPolicy(idleLifetime: .seconds(10))
        var session = Session.example(under: policy)
        var late = session
        #expect(refresh(&session, 0, at: .example + Span(milliseconds: 9_999), under: policy) == .rotated)
        #expect(refresh(&late, 0, at: .example + .seconds(10), under: policy) == .denied(.sessionExpired))
        #expect(session.deadline(under: policy) == .example + Span(milliseconds: 19_999))
    }

    @Test("rotation never moves the absolute end")
    func absolute() {
        let policy = SessionPolicy(stragglerWindow: .zero, absoluteLifetime: .seconds(100))
        var session = Session.example(under: policy)
        for second in 1..<100 {
            let answer = refresh(&session, second - 1, at: .example + .seconds(Int64(second)), under: policy)
            #expect(answer == .rotated)
        }
        #expect(session.expiresAt == .example + .seconds(100))
        #expect(refresh(&session, 99, at: .example + .seconds(100), under: policy) == .denied(.sessionExpired))
    }

    @Test("an access token never outlives its session")
    func accessExpiry() {
        let policy = SessionPolicy(accessTokenLifetime: .seconds(300), idleLifetime: .seconds(60))
        #expect(
            Session.example(under: policy).accessTokenExpiry(at: .example, under: policy) == .example + .seconds(60))
        let normal = SessionPolicy()
        #expect(Session.example().accessTokenExpiry(at: .example, under: normal) == .example + .minutes(5))
    }

    @Test("a sighting of the current generation confirms it, one of an older does not")
    func sighting() {
        var session = Condition.pending.session
        let older = session.confirm(generation: 4, at: Self.now, under: Self.policy)
        #expect(older, "it counts as activity")
        #expect(session.confirmation == .pending)
        let current = session.confirm(generation: 5, at: Self.now, under: Self.policy)
        #expect(current)
        #expect(session.confirmation == .confirmed(windowOpenedAt: Self.now))
        let again = session.confirm(generation: 5, at: Self.now, under: Self.policy)
        #expect(!again)
        #expect(session.lastSeenAt == Self.now)
    }

    @Test("a sighting that says nothing new is worth a write only after a while, which is short for a short idle life")
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

    @Test("a sighting revives nothing")
    func lateSighting() {
        var revoked = Condition.pending.session
        revoked.revoke(.logout, at: Self.now)
        let revivesRevoked = revoked.confirm(generation: 5, at: Self.now, under: Self.policy)
        var expired = Condition.pending.session
        let revivesExpired = expired.confirm(generation: 5, at: Self.now + .days(31), under: Self.policy)
        #expect(!revivesRevoked && !revivesExpired)
        #expect(expired.confirmation == .pending)
    }

    @Test("a clock that is set back neither ends a session nor takes activity back")
    func clockSetBack() {
        var session = Condition.pending.session
        _ = refresh(&session, 5)
        let seen = session.lastSeenAt
        #expect(refresh(&session, 5, at: Self.now - .minutes(60)) == .refreshed)
        #expect(refresh(&session, 4, at: Self.now - .minutes(60)) == .straggler)
        #expect(session.lastSeenAt == seen)
    }
}

extension RefreshAnswer {
    static let reused = RefreshAnswer.denied(.refreshTokenReused)
}
