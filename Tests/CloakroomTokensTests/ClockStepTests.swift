import CloakroomCore
import Testing

@testable import CloakroomTokens

/// Steps of the wall clock: no cached result from the wrong time may survive the correction.
@Suite struct ClockStepTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    /// The verdict on a cookie at a time.
    enum Age: String {
        case live, stale, refused
    }

    private func age(_ cookie: [UInt8], at time: Instant, _ verifier: TokenVerifier? = nil) -> Age {
        switch try? (verifier ?? world.verifier).verify(cookie: cookie, at: time) {
        case .live: .live
        case .stale: .stale
        case nil: .refused
        }
    }

    /// Consecutive checks by one verifier: seconds since the token's `iat`, and the expected verdict.
    static let walks: [[(second: Int64, age: Age)]] = [
        // Item 20: checked before its iat, then after it, because a clock that was behind is corrected.
        [(-3600, .stale), (-31, .stale), (-30, .live), (0, .live), (299, .live), (300, .stale)],
        // First checked while live, then by a clock that goes back, and forward again.
        [(0, .live), (-3600, .stale), (10, .live), (86400, .stale), (10, .live)],
        // First checked by a clock that is a day ahead.
        [(86400, .stale), (0, .live)],
        // First checked within the leeway.
        [(-30, .live), (-31, .stale), (300, .stale), (299, .live)],
    ]

    @Test("the verdict on a cookie depends on the time of the check, not on earlier checks", arguments: walks)
    func walk(_ walk: [(second: Int64, age: Age)]) throws {
        let cookie = try world.cookie()
        for step in walk {
            let time = now + .seconds(step.second)
            #expect(age(cookie, at: time) == step.age, "at \(step.second)")
            #expect(age(cookie, at: time, TokenWorld.verifier(world.keys)) == step.age, "at \(step.second), fresh")
        }
    }

    @Test("the same for a bearer token: not yet valid, valid, expired", arguments: walks)
    func bearer(_ walk: [(second: Int64, age: Age)]) throws {
        let token = try world.access().token.bytes
        for step in walk {
            let verdict = fault { try world.verifier.verify(bearer: token, at: now + .seconds(step.second)) }
            switch step.age {
            case .live: #expect(verdict == nil, "at \(step.second)")
            case .stale where step.second < 0: #expect(verdict == .notYetValid, "at \(step.second)")
            case .stale, .refused: #expect(verdict == .expired, "at \(step.second)")
            }
        }
    }

    @Test(
        "C2: an access token from a clock that was ahead counts as expired, and the refresh half beside it renews")
    func aheadIsStale() throws {
        let ahead = try world.cookie(at: now + .minutes(60))
        for _ in 0..<2 {
            guard case .stale(.expired(let expired), let half) = try world.verifier.verify(cookie: ahead, at: now)
            else { return #expect(Bool(false)) }
            #expect(expired.access.issuedAt == now + .minutes(60))
            #expect(
                try world.keys.current.read(refreshToken: half.bytes.bytes).isGenuine(
                    for: .example(), under: world.keys.current))
        }
    }

    @Test("C1: a revoked session stays revoked while the wall clock goes an hour ahead and back")
    func revocationOutlivesSteps() throws {
        let cookie = try world.cookie()
        let view = world.verifier.revocations
        let session = SessionID("session")
        var uptime = TokenWorld.uptime
        view.confirm(at: uptime, now)
        view.insert(session, at: uptime)
        // Fourteen seconds an hour ahead, with the feed read every quarter of a second.
        for quarter in 0..<56 {
            uptime += .milliseconds(250)
            let ahead = now + .minutes(60) + Span(milliseconds: Int64(quarter) * 250)
            view.confirm(at: uptime, ahead)
            #expect(age(cookie, at: ahead) == .stale)
        }
        #expect(age(cookie, at: now + .seconds(14)) == .live)
        #expect(view.standing(of: session, at: uptime, TokenWorld.now) == .revoked)
    }

    @Test(
        "a cached stale token becomes live only after it was verified again completely, its key's stage included")
    func staleIsVerifiedAgain() throws {
        for (issuedAt, seenAt) in [(now, now + .minutes(10)), (now + .minutes(10), now)] {
            let world = try TokenWorld()
            let stolen = try world.cookie(at: issuedAt)
            let old = IssuerKeys.SigningEntry(
                key: world.keys.current.signing[0].key, createdAt: now - .days(2), signsFrom: now - .days(2))
            let newer = IssuerKeys.SigningEntry(
                key: try SigningKey.generate(.es256), createdAt: now - .days(1), signsFrom: now - .days(1))
            world.replaceKeys(with: try IssuerKeys(signing: [old, newer], refresh: world.keys.current.refresh))
            guard case .stale(.expired, _)? = try? world.verifier.verify(cookie: stolen, at: seenAt) else {
                return #expect(Bool(false), "a token of a retired key must not be live")
            }
            #expect(throws: TokenFault.unknownKey) { try world.verifier.verify(cookie: stolen, at: issuedAt) }
        }
    }
}
