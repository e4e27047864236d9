import CloakroomCore
import Testing

@testable import CloakroomTokens

/// The life of a signing key, as a function of the time alone.
@Suite struct KeyStageTests {
    private let now = TokenWorld.now
    private let lifetime = Span.minutes(5)
    private let keys: [SigningKey]
    private let issuerKeys: IssuerKeys

    /// Three keys, ten minutes apart.
    init() throws {
        keys = try [SignatureAlgorithm.es256, .ed25519, .es256].map { try SigningKey.generate($0) }
        issuerKeys = try Self.issuerKeys(keys)
    }

    private static func issuerKeys(_ keys: [SigningKey], order: [Int] = [0, 1, 2]) throws -> IssuerKeys {
        let entries = keys.enumerated().map { number, key in
            IssuerKeys.SigningEntry(
                key: key, createdAt: TokenWorld.now, signsFrom: TokenWorld.now + .minutes(Int64(number) * 10))
        }
        return try IssuerKeys(
            signing: order.map { entries[$0] },
            refresh: [.init(key: TokenWorld.refreshKey("r1", 7), createdAt: TokenWorld.now)])
    }

    private func stage(_ entry: IssuerKeys.SigningEntry, at time: Instant) -> VerifierKeys.Stage? {
        issuerKeys.verifierKeys.stage(of: entry.key.id, at: time, lifetime: lifetime)
    }

    private func ids(_ time: Instant) throws -> [String] {
        let set = try issuerKeys.publicKeySet(at: time, lifetime: lifetime)
        return set.objectValue?["keys"]?.arrayValue?.compactMap { $0.objectValue?["kid"]?.stringValue } ?? []
    }

    static let life: [(minute: Int64, second: Int64, stages: [VerifierKeys.Stage])] = [
        (-60, 0, [.signing, .published, .published]), (0, 0, [.signing, .published, .published]),
        (9, 59, [.signing, .published, .published]), (10, 0, [.verifying, .signing, .published]),
        // The last token of the first key was signed at 9:59 and lives five minutes; two clocks are 30 seconds apart.
        (15, 29, [.verifying, .signing, .published]), (15, 30, [.retired, .signing, .published]),
        (20, 0, [.retired, .verifying, .signing]), (25, 29, [.retired, .verifying, .signing]),
        (25, 30, [.retired, .retired, .signing]), (60 * 24 * 365, 0, [.retired, .retired, .signing]),
    ]

    @Test("a key is published, signs, verifies, and retires", arguments: life)
    func stages(_ row: (minute: Int64, second: Int64, stages: [VerifierKeys.Stage])) throws {
        let time = now + .minutes(row.minute) + .seconds(row.second)
        #expect(issuerKeys.signing.map { stage($0, at: time) } == row.stages)
        let live = zip(keys, row.stages).filter { $0.1 != .retired }.map(\.0.id)
        #expect(try ids(time) == live)
    }

    @Test(
        "at any time one key signs, was published ten minutes before, and is the same on two instances"
    )
    func oneSigns() throws {
        let other = try Self.issuerKeys(keys, order: [2, 0, 1])
        for minute in Int64(0)..<40 {
            let time = now + .minutes(minute)
            let signing = issuerKeys.signing.filter { stage($0, at: time) == .signing }
            #expect(signing.map(\.key.id) == [issuerKeys.signingKey(at: time).id])
            #expect(other.signingKey(at: time).id == issuerKeys.signingKey(at: time).id)
            guard minute >= 10 else { continue }
            #expect(try ids(time - .minutes(10)).contains(issuerKeys.signingKey(at: time).id))
        }
    }

    @Test("each token verifies until it expires, with the key set at its issue and with every later one")
    func tokensOutliveTheirKey() throws {
        let issuer = TokenIssuer(issuer: TokenWorld.issuer, audience: TokenWorld.audience, keys: LiveKeys(issuerKeys))
        for minute in Int64(0)..<25 {
            let issued = now + .minutes(minute) + .seconds(59)
            let access = try issuer.accessToken(
                for: .example(), generation: 0, tokenID: [1], at: issued, under: SessionPolicy())
            for second in stride(from: Int64(0), to: 300, by: 60) {
                let time = issued + .seconds(second)
                let published = try KeySet(parsing: issuerKeys.publicKeySet(at: time, lifetime: lifetime).serialized)
                let remote = AccessTokenVerifier.remote(published)
                guard case .live = try remote.verify(access.token.bytes, at: time) else {
                    Issue.record("minute \(minute), second \(second)")
                    return
                }
            }
        }
    }

    @Test("an unknown key has no stage")
    func strangerHasNoStage() {
        for id in [nil, "", "r1"] {
            #expect(issuerKeys.verifierKeys.stage(of: id, at: now, lifetime: lifetime) == nil)
        }
    }

    @Test("the verifier's keys are all but the removed ones, whose ids they know")
    func verifiersHalf() throws {
        let removed = try IssuerKeys(
            signing: Array(issuerKeys.signing.dropFirst()), refresh: issuerKeys.refresh, removed: [keys[0].id])
        #expect(removed.verifierKeys.removed == [keys[0].id])
        #expect(removed.verifierKeys.keySet.keys.map(\.id) == keys.dropFirst().map(\.id))
        #expect(issuerKeys.verifierKeys.removed.isEmpty)
        #expect(issuerKeys.verifierKeys.keySet.keys.allSatisfy { !$0.isSymmetric })
    }

    @Test("the public key set has public members only, and no refresh secret")
    func contents() throws {
        let set = try issuerKeys.publicKeySet(at: now, lifetime: lifetime)
        let keys = try #require(set.objectValue?["keys"]?.arrayValue).compactMap(\.objectValue)
        #expect(set.objectValue?.members.map(\.name) == ["keys"] && keys.count == 3)
        let allowed: Set = ["kty", "crv", "x", "y", "kid", "use", "alg"]
        for key in keys {
            #expect(Set(key.members.map(\.name)).isSubset(of: allowed))
            #expect(key["use"] == "sig" && key["kty"] != "oct")
        }
        let text = String(decoding: set.serialized, as: UTF8.self)
        #expect(keys.allSatisfy { $0["kid"] != "r1" })
        for key in self.keys { #expect(!text.contains(key.serialized)) }
        #expect(throws: Never.self) { try KeySet(parsing: set.serialized) }
    }

    @Test("a key file without a key of each kind, or with two of one id, is refused")
    func refusals() throws {
        let signing = IssuerKeys.SigningEntry(key: keys[0], createdAt: now, signsFrom: now)
        let refresh = IssuerKeys.RefreshEntry(key: TokenWorld.refreshKey("r1", 7), createdAt: now)
        #expect(throws: IssuerKeys.Refusal.self) { try IssuerKeys(signing: [signing], refresh: []) }
        #expect(throws: IssuerKeys.Refusal.self) { try IssuerKeys(signing: [], refresh: [refresh]) }
        #expect(throws: KeySet.Refusal.self) { try IssuerKeys(signing: [signing, signing], refresh: [refresh]) }
        #expect(throws: KeySet.Refusal.self) { try IssuerKeys(signing: [signing], refresh: [refresh, refresh]) }
    }

    @Test("the keys in use are replaced as a whole")
    func live() throws {
        let live = LiveKeys(issuerKeys)
        let newer = try TokenWorld.issuerKeys(.es256)
        live.replace(with: newer)
        #expect(live.current.signing.map(\.key.id) == newer.signing.map(\.key.id))
    }
}
