import CloakroomCore
import Testing

@testable import CloakroomTokens

/// The view of revoked sessions, on a monotonic clock.
@Suite struct RevocationViewTests {
    private let session = SessionID("a")
    private let uptime = TokenWorld.uptime

    private func view(_ lifetime: Span = .minutes(5)) -> RevocationView {
        RevocationView(accessTokenLifetime: lifetime)
    }

    @Test("a revocation is kept for as long as a token of the session may be valid, then removed")
    func memory() {
        let view = view()
        view.update([Revoked(session: session, time: TokenWorld.now)], at: uptime)
        view.confirm(after: .zero)
        #expect(view.isRevoked(session) && !view.isRevoked(SessionID("b")))
        view.confirm(after: .seconds(300))
        #expect(view.isRevoked(session))
        view.confirm(after: .seconds(420))
        #expect(view.count == 0)
    }

    @Test("the time that a revocation is kept follows the lifetime of access tokens", arguments: [1, 60, 300, 3600])
    func memoryOf(_ seconds: Int64) {
        let view = view(.seconds(seconds))
        view.insert(session, at: uptime)
        view.confirm(after: .seconds(seconds + 59))
        #expect(view.isRevoked(session))
        view.confirm(after: .seconds(seconds + 80))
        #expect(!view.isRevoked(session))
    }

    @Test("a revocation is kept from its arrival, because the wall clock of its writer may be years off")
    func wallClockOfOthers() {
        for time in [TokenWorld.now - .days(3650), TokenWorld.now, TokenWorld.now + .days(3650)] {
            let view = view()
            view.update([Revoked(session: session, time: time)], at: uptime)
            view.confirm(after: .seconds(359))
            #expect(view.isRevoked(session))
            view.confirm(after: .seconds(371))
            #expect(!view.isRevoked(session))
        }
    }

    @Test("a revoked session is kept longer than any of its tokens can be valid")
    func remembered() throws {
        let world = try TokenWorld()
        let view = world.verifier.revocations
        // An instance whose clock is 30 seconds ahead signs a token at the moment of the revocation.
        let access = try world.access(at: TokenWorld.now + .seconds(30))
        view.update([Revoked(session: access.session, time: TokenWorld.now)], at: uptime)
        var live = 0
        for second in Int64(0)...330 {
            view.confirm(after: .seconds(second))
            let time = TokenWorld.now + .seconds(second)
            guard (try? world.verifier.verify(bearer: access.token.bytes, at: time)) != nil else { continue }
            live += 1
            #expect(view.isRevoked(access.session), "second \(second)")
        }
        #expect(live == 330)
        view.confirm(after: .seconds(380))
        #expect(view.count == 0)
    }

    @Test("a session's standing is revoked, good, or unknown after a second without a proof that the view is current")
    func standing() {
        let view = view()
        let late = TokenWorld.now + Span(milliseconds: 1001)
        #expect(view.standing(of: session, at: uptime, TokenWorld.now) == .unknown, "the feed was not read yet")
        view.confirm(after: .zero)
        #expect(view.standing(of: session, at: uptime + .seconds(1), TokenWorld.now + .seconds(1)) == .good)
        #expect(view.standing(of: session, at: uptime + .milliseconds(1001), late) == .unknown)
        #expect(view.isCurrent(for: .milliseconds(1), at: uptime + .milliseconds(1001), late))
        #expect(!view.isCurrent(for: .milliseconds(1), at: uptime + .milliseconds(1002), late))
        view.insert(session, at: uptime)
        #expect(
            view.standing(of: session, at: uptime + .days(1), TokenWorld.now) == .revoked,
            "a known revocation counts with any age of the feed")
    }

    @Test(
        "after the wall clock was set back by more than a second, standings are unknown until the feed is read")
    func setBack() {
        let view = view()
        let now = TokenWorld.now
        view.confirm(at: uptime, now)
        #expect(view.standing(of: session, at: uptime, now - .seconds(1)) == .good)
        for step in [Span(milliseconds: 1001), .minutes(2), .days(400)] {
            #expect(view.standing(of: session, at: uptime, now - step) == .unknown)
            #expect(view.isSetBack(at: uptime, now - step))
        }
        view.confirm(at: uptime, now - .minutes(2))
        #expect(view.standing(of: session, at: uptime, now - .minutes(2)) == .good)
        #expect(
            view.standing(of: session, at: uptime, now + .days(1)) == .good,
            "a clock that is set forward does not matter here")
    }

    @Test("the latest proof may be a second old; an older one that arrives late does not replace it")
    func staleness() {
        let view = view()
        let late = TokenWorld.now + Span(milliseconds: 1001)
        view.confirm(after: .zero)
        view.confirm(after: .seconds(-60))
        #expect(view.standing(of: session, at: uptime + .seconds(1), TokenWorld.now + .seconds(1)) == .good)
        #expect(view.standing(of: session, at: uptime + .milliseconds(1001), late) == .unknown)
    }

    @Test("a revocation of this process counts before the feed has it, and its second arrival changes nothing")
    func insert() {
        let view = view()
        view.insert(session, at: uptime)
        #expect(view.standing(of: session, at: uptime, TokenWorld.now) == .revoked, "also before the feed was read")
        #expect(view.standing(of: SessionID("b"), at: uptime, TokenWorld.now) == .unknown)
        for _ in 0..<2 {
            view.update([Revoked(session: session, time: TokenWorld.now)], at: uptime)
            view.confirm(after: .zero)
        }
        #expect(view.count == 1 && view.isRevoked(session))
    }

    @Test(
        "a revocation concerns only the session with exactly this id",
        arguments: [
            ("a", ["A", "a ", "a\u{0}", "", "aa", "\u{430}"]),
            // As the issuer makes them: 144 bits in base64url.
            (
                "V1gFmpF7nMndG-nMsqhSw9N_",
                [
                    "V1gFmpF7nMndG-nMsqhSw9N-", "W1gFmpF7nMndG-nMsqhSw9N_", "V1gFmpF7nNndG-nMsqhSw9N_",
                    "V1gFmpF7nMndG+nMsqhSw9N/", "V1gFmpF7nMndG-nMsqhSw9N", "V1gFmpF7nMndG-nMsqhSw9N_=",
                    "V1gFmpF7nMndG-nMsqhSw9N_A",
                ]
            ),
        ])
    func exactName(_ row: (id: String, others: [String])) {
        let view = view()
        view.insert(SessionID(row.id), at: uptime)
        #expect(view.isRevoked(SessionID(row.id)) && view.count == 1)
        for name in row.others { #expect(!view.isRevoked(SessionID(name)), "\(name)") }
    }

    @Test("the sessions that arrived up to a time are known by their ids, the latest first")
    func arrived() {
        let view = view()
        let ids = ["V1gFmpF7nMndG-nMsqhSw9N_", "s", "AAAAAAAAAAAAAAAAAAAAAAAA", "________________________"].map {
            SessionID($0)
        }
        for (number, id) in ids.enumerated() { view.insert(id, at: uptime + .seconds(number)) }
        #expect(view.revoked(upTo: uptime + .seconds(9)) == ids.reversed())
        #expect(view.revoked(upTo: uptime + .seconds(2)) == [ids[2], ids[1], ids[0]])
        view.insert(ids[0], at: uptime + .seconds(5))
        #expect(view.revoked(upTo: uptime + .seconds(2)) == [ids[2], ids[1]])
    }

    @Test("ten thousand revocations are removed when their time is over")
    func prune() {
        let view = view(.seconds(10))
        for number in 0..<10_000 {
            let time = Span(milliseconds: Int64(number) * 100)
            view.update(
                [Revoked(session: SessionID("s\(number)"), time: TokenWorld.now)],
                at: uptime + .milliseconds(time.milliseconds))
            view.confirm(after: time)
        }
        // 70 seconds of memory and 10 between two cleanings, at ten a second.
        #expect(view.count <= 801 && view.count >= 700)
    }
}

extension RevocationView {
    /// The feed was read so long after the start, by clocks that agree.
    fileprivate func confirm(after span: Span) {
        confirm(at: TokenWorld.uptime + .milliseconds(span.milliseconds), TokenWorld.now + span)
    }
}

extension Duration {
    fileprivate static func days(_ count: Int64) -> Self { .seconds(count * 86400) }
}
