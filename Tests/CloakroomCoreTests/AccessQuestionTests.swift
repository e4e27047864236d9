import Testing

@testable import CloakroomCore

/// The access decision, for every combination of bearer, cookie, standing and demand.
@Suite struct AccessQuestionTests {
    private static let now = Instant.example
    private static let policy = SessionPolicy()
    private static let bearerSession = SessionID("of the bearer")
    private static let cookieSession = SessionID("of the cookie")

    /// Authenticated a minute ago, with one factor.
    private static func identity(_ session: SessionID, remaining: Span = .minutes(4)) -> AccessQuestion.Identity {
        .init(
            session: session, subject: Subject("u_1"), issuedAt: now - .minutes(1),
            authentication: Evidence(.password, at: now - .minutes(1)).authentication,
            remaining: remaining)
    }

    static let bearers: [AccessQuestion.Bearer] = [
        .absent, .foreign(.tokenInvalid), .foreign(.tokenExpired), .live(identity(bearerSession)),
        .live(identity(bearerSession, remaining: .seconds(1))), .refused(.tokenExpired), .refused(.tokenInvalid),
    ]

    static let cookies: [AccessQuestion.Cookie] = [
        .absent, .live(identity(cookieSession)), .live(identity(cookieSession, remaining: .seconds(1))), .stale,
        .withoutAccess, .refused(.tokenInvalid),
    ]

    static let standings: [AccessQuestion.Standing] = [.good, .revoked, .unknown, .stale]

    /// A demand, and whether a password of a minute ago meets it.
    static let demands: [(demand: StepUp?, isMet: Bool)] = [
        (nil, true), (StepUp(), true), (StepUp(maximumAge: .minutes(1)), true),
        (StepUp(maximumAge: .seconds(59)), false),
        (StepUp(minimumLevel: .multiFactor), false),
        (StepUp(maximumAge: .minutes(9), minimumLevel: .singleFactor), true),
    ]

    /// The expected decision, written independently of the implementation.
    private func expected(
        _ question: AccessQuestion, _ standing: AccessQuestion.Standing, _ demandIsMet: Bool
    ) -> AccessAnswer {
        func judged(_ allowed: AccessAnswer) -> AccessAnswer {
            switch standing {
            // As an expired token: a cookie renews, a bearer token alone cannot.
            case .stale: return allowed == .bearer ? .denied(.tokenExpired) : .renewal
            case .unknown: return .lookUp
            case .revoked: return .denied(.sessionRevoked)
            case .good: break
            }
            guard demandIsMet else {
                guard question.demand?.minimumLevel == .singleFactor else { return .denied(.stepUpUnavailable) }
                return .denied(
                    .insufficientUserAuthentication(
                        StepUpChallenge(maximumAge: question.demand?.maximumAge, acceptedLevels: [])))
            }
            return allowed
        }
        // A bearer of ours decides alone, even when it has expired.
        if case .live = question.bearer { return judged(.bearer) }
        if case .refused(let denial) = question.bearer { return .denied(denial) }
        switch question.cookie {
        case .live(let identity):
            // An access token that is about to expire is renewed first.
            return judged(identity.remaining < .seconds(10) ? .earlyRenewal : .cookie)
        case .stale: return .renewal
        case .withoutAccess: return question.admitsCookieAlone ? .renewal : .denied(.tokenExpired)
        case .refused(let denial): return .denied(denial)
        case .absent: break
        }
        // Without a cookie, the denial says what is wrong with the foreign bearer token.
        if case .foreign(let denial) = question.bearer { return .denied(denial) }
        return .denied(.sessionMissing)
    }

    @Test("every bearer beside every cookie, with every standing and demand", arguments: bearers, cookies)
    func table(_ bearer: AccessQuestion.Bearer, _ cookie: AccessQuestion.Cookie) {
        for standing in Self.standings {
            for (demand, isMet) in Self.demands {
                for admits in [false, true] {
                    let question = AccessQuestion(
                        bearer: bearer, cookie: cookie, demand: demand, admitsCookieAlone: admits)
                    let answer = question.answer(at: Self.now, under: Self.policy) { _ in standing }
                    #expect(answer == expected(question, standing, isMet), "\(standing) \(String(describing: demand))")
                }
            }
        }
    }

    @Test("the standing is looked up at most once, for the session whose token decides", arguments: bearers, cookies)
    func askedOnce(_ bearer: AccessQuestion.Bearer, _ cookie: AccessQuestion.Cookie) {
        var asked: [SessionID] = []
        let question = AccessQuestion(bearer: bearer, cookie: cookie)
        let answer = question.answer(at: Self.now, under: Self.policy) { identity in
            asked.append(identity.session)
            return .good
        }
        switch answer {
        case .bearer: #expect(asked == [Self.bearerSession])
        case .cookie, .earlyRenewal: #expect(asked == [Self.cookieSession])
        case .renewal, .denied: #expect(asked == [])
        case .lookUp: Issue.record("a good session is looked up")
        }
    }

    @Test("a revocation is decided before a demand: a revoked session is denied, and no step-up is asked for")
    func revocationFirst() {
        let question = AccessQuestion(
            bearer: .absent, cookie: .live(Self.identity(Self.cookieSession)),
            demand: StepUp(minimumLevel: .multiFactor))
        #expect(
            question.answer(at: Self.now, under: Self.policy) { _ in .revoked } == .denied(.sessionRevoked))
        #expect(question.answer(at: Self.now, under: Self.policy) { _ in .unknown } == .lookUp)
    }

    /// The lifetime of access tokens, and the part of it that must remain, in milliseconds.
    static let margins: [(lifetime: Span, margin: Int64)] = [
        (.minutes(5), 10_000), (.seconds(100), 10_000), (.seconds(99), 9_900), (.seconds(2), 200), (.days(1), 10_000),
    ]

    @Test(
        "W22: an access token for a backend is valid for another 10 s, or a tenth of its lifetime if that is less",
        arguments: margins)
    func margin(_ row: (lifetime: Span, margin: Int64)) {
        let policy = SessionPolicy(accessTokenLifetime: row.lifetime)
        for (remaining, answer) in [
            (row.margin, AccessAnswer.cookie), (row.margin - 1, .earlyRenewal), (row.lifetime.milliseconds, .cookie),
        ] {
            let identity = Self.identity(Self.cookieSession, remaining: Span(milliseconds: remaining))
            let byCookie = AccessQuestion(bearer: .absent, cookie: .live(identity))
            #expect(byCookie.answer(at: Self.now, under: policy) { _ in .good } == answer)
            let byBearer = AccessQuestion(bearer: .live(identity), cookie: .absent)
            #expect(byBearer.answer(at: Self.now, under: policy) { _ in .good } == .bearer)
        }
    }

    @Test("a demand is checked at the time of the question")
    func demandsTime() {
        let question = AccessQuestion(
            bearer: .live(Self.identity(Self.bearerSession)), cookie: .absent, demand: StepUp(maximumAge: .minutes(2)))
        #expect(question.answer(at: Self.now + .minutes(1), under: Self.policy) { _ in .good } == .bearer)
        let late = question.answer(at: Self.now + .minutes(1) + Span(milliseconds: 1), under: Self.policy) { _ in .good
        }
        #expect(
            late
                == .denied(
                    .insufficientUserAuthentication(.init(maximumAge: .minutes(2), acceptedLevels: []))))
    }
}
