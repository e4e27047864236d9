import CloakroomCore
import CloakroomSessions
import CloakroomTesting
import CloakroomTokens
import Testing

@Suite struct KeyRotationTests {
    private let time = TestEnvironment()
    private static let life = Span.days(90)

    /// Keys of which each superseded the previous one after ten days, beginning now.
    private func keys(_ count: Int, _ algorithm: SignatureAlgorithm = .ed25519) throws -> IssuerKeys {
        var keys = try IssuerKeys.first(algorithm, at: time.now, random: time.environment.random)
        keys = try keys.serving(nil, longestSession: Self.life, at: time.now)
        for _ in 1..<count {
            time.advance(.days(10))
            keys = try keys.rotated(from: time.now, at: time.now)
                .withNewRefreshSecret(from: time.now, at: time.now, random: time.environment.random)
        }
        return keys
    }

    @Test(
        "a superseded key is removed a day after the longest session of its time has ended",
        arguments: [
            (Span.days(0), 3), (.days(90), 3), (.seconds(91 * 86400 - 1), 3), (.days(91), 2), (.days(101), 2),
            (.days(4000), 2),
        ])
    func dropped(_ span: Span, _ count: Int) throws {
        let before = try keys(3)
        // The second key superseded the first ten days ago.
        time.step(Span(milliseconds: span.milliseconds - Span.days(10).milliseconds))
        let after = try before.rotated(from: time.now, at: time.now)
        #expect(after.signing.count == count + 1 && after.refresh.count == 3)
        let secrets = try before.withNewRefreshSecret(
            from: time.now, at: time.now, random: time.environment.random)
        #expect(secrets.refresh.count == count + 1 && secrets.signing.count == 3)
    }

    @Test("with a rotation every ten days the number of keys is bounded by the longest session")
    func bounded() throws {
        let keys = try keys(60)
        #expect(10...12 ~= keys.signing.count && 10...12 ~= keys.refresh.count)
    }

    @Test("a key that signs or does not sign yet is never removed")
    func published() throws {
        let first = try keys(1)
        let later = try first.rotated(from: time.now + .days(500), at: time.now)
        time.advance(.days(400))
        let again = try later.rotated(from: time.now + .minutes(10), at: time.now)
        #expect(Set(again.signing.map(\.key.id)).isSuperset(of: later.signing.map(\.key.id)))
        #expect(again.signingKey(at: time.now).id == first.signing[0].key.id)
    }

    @Test("more keys than verifiers accept are refused")
    func limit() throws {
        var keys = try keys(1)
        for _ in 1..<IssuerKeys.maximumCount { keys = try keys.rotated(from: time.now, at: time.now) }
        #expect(throws: IssuerKeys.ChangeRefused.self) { try keys.rotated(from: time.now, at: time.now) }
    }

    @Test("the longest lifetime counts, also after a shorter one is set")
    func longest() throws {
        let keys = try keys(1)
        #expect(try keys.serving(nil, longestSession: .days(1), at: time.now).longestSession == Self.life)
        #expect(try keys.serving(nil, longestSession: .days(99), at: time.now).longestSession == .days(99))
    }

    @Test(
        "a rotation uses the algorithm of the key that signs last, unless it gets another",
        arguments: [SignatureAlgorithm.es256, .ed25519], [nil, SignatureAlgorithm.es256, .ed25519])
    func algorithm(_ own: SignatureAlgorithm, _ asked: SignatureAlgorithm?) throws {
        let before = try keys(1, own == .es256 ? .ed25519 : .es256)
            .rotated(to: own, from: time.now + .minutes(10), at: time.now)
        let after = try before.rotated(to: asked, from: time.now + .minutes(20), at: time.now)
        #expect(after.algorithm == asked ?? own)
    }

    @Test("a key can be removed in every stage except while it signs")
    func removing() throws {
        var keys = try keys(2)
        keys = try keys.rotated(from: time.now + .minutes(10), at: time.now)
        let ids = keys.signing.map(\.key.id)
        for id in [ids[0], ids[2]] {
            let after = try keys.removing(id, at: time.now)
            #expect(after.removed == [id] && !after.signing.map(\.key.id).contains(id))
        }
        #expect(throws: IssuerKeys.ChangeRefused.self) { try keys.removing(ids[1], at: time.now) }
        #expect(throws: IssuerKeys.ChangeRefused.self) { try keys.removing("none", at: time.now) }
    }
}
