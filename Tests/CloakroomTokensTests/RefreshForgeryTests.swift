import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

/// An attacker with half of the secrets (the keys without the database, or the reverse) can forge no token.
@Suite struct RefreshForgeryTests {
    private let world: TokenWorld
    private let session = Session.example()

    init() throws {
        world = try TokenWorld()
    }

    private var keys: IssuerKeys { world.keys.current }

    private func verify(_ token: some Collection<UInt8>) throws -> RefreshToken {
        try keys.read(refreshToken: token)
    }

    /// A token that a thief of the refresh secret can make: a valid MAC over any claims.
    private func signed(
        _ claims: JSONObject, type: String = "rt+jwt", id: String = "r1", secret: UInt8 = 7,
        purpose: String = "cloakroom refresh token signature"
    ) -> [UInt8] {
        let message = JWSMessage.bytes(algorithm: .hs256, keyID: id, type: type, claims: claims)
        let master = SymmetricKey(data: [UInt8](repeating: secret, count: 32))
        let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: master, info: Array(purpose.utf8), outputByteCount: 32)
        return JWSMessage.join(message, Array(HMAC<SHA256>.authenticationCode(for: message, using: key)))
    }

    private func claims() throws -> JSONObject {
        let token = try world.issuer.refreshToken(for: session)
        return try VerifiedJWS.verify(token.bytes, with: keys.refreshKeys).claims()
    }

    private func with(_ name: String, _ value: JSONValue?) throws -> JSONObject {
        var claims = try claims()
        claims[name] = value
        return claims
    }

    @Test("the claims are sid, gen, iat, exp, jti, in whole seconds, with exp rounded up")
    func contents() throws {
        let claims = try claims()
        #expect(Set(claims.members.map(\.name)) == ["sid", "gen", "iat", "exp", "jti"])
        #expect(claims["sid"] == "session" && claims["gen"] == 0)
        #expect(claims["iat"] == .integer(TokenWorld.now.seconds))
        #expect(claims["exp"] == .integer((TokenWorld.now + .days(90)).seconds))
        let odd = Session(
            id: SessionID("s"), subject: Subject("u"), secret: Secret([1]), refreshKey: "r1",
            details: Session.Details(
                client: .browser, remembered: false, userAgent: "",
                address: "", evidence: Evidence(.password, at: TokenWorld.now)),
            at: TokenWorld.now + Span(milliseconds: 1), under: SessionPolicy())
        let token = try verify(world.issuer.refreshToken(for: odd).bytes)
        #expect(token.expiresAt == TokenWorld.now + .days(90) + .seconds(1) && token.expiresAt >= odd.expiresAt)
        #expect(token.presented.issuedAt == TokenWorld.now)
    }

    @Test("the bytes follow from the row and the secret: the test computes them by hand")
    func knownAnswer() throws {
        let master = SymmetricKey(data: [UInt8](repeating: 7, count: 32))
        func key(_ purpose: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: master, info: Array(purpose.utf8), outputByteCount: 32)
        }
        let named = Array("session".utf8) + [UInt8](repeating: 0, count: 9) + [UInt8](repeating: 3, count: 32)
        let tokenID = Array(
            HMAC<SHA256>.authenticationCode(for: named, using: key("cloakroom refresh token id")).prefix(16))
        let header = Base64URL.encode(Array(#"{"alg":"HS256","kid":"r1","typ":"rt+jwt"}"#.utf8))
        let payload = Base64URL.encode(
            Array(
                #"{"sid":"session","gen":0,"iat":1800000000,"exp":1807776000,"jti":"\#(Base64URL.encode(tokenID))"}"#
                    .utf8))
        let mac = HMAC<SHA256>.authenticationCode(
            for: Array("\(header).\(payload)".utf8), using: key("cloakroom refresh token signature"))
        let expected = "\(header).\(payload).\(Base64URL.encode(Array(mac)))"
        #expect(String(decoding: try world.issuer.refreshToken(for: session).bytes, as: UTF8.self) == expected)
    }

    @Test("a generation's bytes stay the same while the session is used, renewed and revoked")
    func sameBytes() throws {
        let token = try world.issuer.refreshToken(for: session)
        let policy = SessionPolicy()
        var used = session
        let isChanged = used.confirm(generation: 0, at: TokenWorld.now + .days(3), under: policy)
        #expect(isChanged && used.lastSeenAt > session.lastSeenAt)
        #expect(try world.issuer.refreshToken(for: used) == token)
        used.revoke(.logout, at: TokenWorld.now + .days(4))
        #expect(try world.issuer.refreshToken(for: used) == token)
        var rotated = session
        let presented = try verify(token.bytes).presented
        let later = TokenWorld.now + .minutes(60)
        _ = rotated.refresh(presenting: presented, at: later, under: policy, signingWith: "r1")
        let next = try world.issuer.refreshToken(for: rotated)
        for time in [later + .seconds(9), later + .days(2)] {
            let answer = rotated.refresh(presenting: presented, at: time, under: policy, signingWith: "r1")
            #expect(try answer == .reissued && world.issuer.refreshToken(for: rotated) == next)
        }
        // Confirmed just now, so the straggler window is open: served, not rotated.
        let current = try verify(next.bytes).presented
        let answer = rotated.refresh(presenting: current, at: later + .days(3), under: policy, signingWith: "r1")
        #expect(try answer == .served && world.issuer.refreshToken(for: rotated) == next)
    }

    @Test("another process with the same files makes the same bytes")
    func restart() throws {
        let again = TokenIssuer(
            issuer: TokenWorld.issuer, audience: TokenWorld.audience,
            keys: LiveKeys(try TokenWorld.issuerKeys(.ed25519)))
        #expect(try again.refreshToken(for: session) == world.issuer.refreshToken(for: session))
    }

    @Test("a valid MAC over a guessed jti is not genuine for any session")
    func ringAlone() throws {
        let genuine = try #require(try claims()["jti"]?.stringValue)
        let bytes = try #require(Base64URL.decode(genuine))
        #expect(
            try verify(signed(claims())).isGenuine(for: session, under: keys), "the test's own signatures are valid")
        let guesses = [
            [], Array(bytes.dropLast()), bytes + [0], Array(bytes.reversed()), [UInt8](repeating: 0, count: 16),
            [UInt8](repeating: 0xFF, count: 16), Array(bytes.prefix(8)),
        ].map(Base64URL.encode)
        for guess in guesses {
            let token = signed(try with("jti", .string(guess)))
            #expect((try? verify(token).isGenuine(for: session, under: keys)) != true, "\(guess)")
        }
        for index in bytes.indices {
            var close = bytes
            close[index] ^= 1
            let token = try verify(signed(try with("jti", .string(Base64URL.encode(close)))))
            #expect(!token.isGenuine(for: session, under: keys))
        }
    }

    @Test("a jti is valid only for its session, generation and secret")
    func bound() throws {
        #expect(try !verify(signed(with("gen", 1))).isGenuine(for: session, under: keys))
        for name in ["sessio", "session\u{0}", "session0", "Session"] {
            let token = try verify(signed(with("sid", .string(name))))
            #expect(token.session == SessionID(name) && !token.isGenuine(for: .example(name), under: keys))
        }
        let moved = try verify(signed(with("sid", "other")))
        #expect(!moved.isGenuine(for: .example("other"), under: keys), "the jti of another session")
        let genuine = try verify(world.issuer.refreshToken(for: session).bytes)
        #expect(!genuine.isGenuine(for: .example(secret: 4), under: keys))
        #expect(!genuine.isGenuine(for: .example("other"), under: keys))
        #expect(
            !genuine.isGenuine(for: session, under: try TokenWorld.issuerKeys(.es256, secret: 8)),
            "another secret of that kid")
    }

    @Test("the database alone makes no MAC that verifies")
    func databaseAlone() throws {
        let secrets: [UInt8] = [0, 3, 8, 0xFF]
        for secret in secrets { #expect(fault { try verify(signed(claims(), secret: secret)) } == .badSignature) }
        let rowSecret = JWSMessage.bytes(algorithm: .hs256, keyID: "r1", type: "rt+jwt", claims: try claims())
        for key in [session.secret.bytes, Array("r1".utf8), [], [UInt8](repeating: 7, count: 32)] {
            let token = JWSMessage.join(rowSecret, Forge.mac(rowSecret, secret: key))
            #expect(fault { try verify(token) } == .badSignature, "the refresh secret without key derivation")
        }
        #expect(fault { try verify(signed(claims(), purpose: "cloakroom refresh token id")) } == .badSignature)
    }

    @Test(
        "a token with a missing claim or one of a wrong type is refused",
        arguments: ["sid", "gen", "iat", "exp", "jti"])
    func claims(_ name: String) throws {
        let bad: [JSONValue?] = [nil, .null, true, [], [:], [1], -1, .number(1e300), .number(-0.5)]
        for value in bad {
            #expect(
                fault { try verify(signed(try with(name, value))) } == .badClaim(name), "\(String(describing: value))")
        }
        let wrong: JSONValue = ["sid", "jti"].contains(name) ? 1 : "1"
        #expect(fault { try verify(signed(try with(name, wrong))) } == .badClaim(name))
    }

    @Test("a jti that is not base64url, an empty or long session id, and a generation past 31 bits are refused")
    func edges() throws {
        for (name, value) in [
            ("jti", "=="), ("jti", "AB"), ("jti", "a b"), ("sid", ""),
            ("sid", .string(String(repeating: "s", count: 257))),
            ("gen", .integer(Int64(Int32.max) + 1)), ("gen", .number(1.5)), ("exp", .integer(253_402_300_800)),
        ] as [(String, JSONValue)] {
            #expect(fault { try verify(signed(try with(name, value))) } == .badClaim(name), "\(name) \(value)")
        }
        #expect(try verify(signed(with("gen", .integer(Int64(Int32.max))))).presented.generation == Int(Int32.max))
    }

    @Test(
        "a token that a refresh secret signed with another typ is refused",
        arguments: ["at+jwt", "JWT", "RT+JWT", "", "rt+jwt "])
    func types(_ type: String) throws {
        #expect(fault { try verify(signed(claims(), type: type)) } == .wrongType)
        #expect(try verify(signed(claims(), type: "application/rt+jwt")).session == session.id)
    }

    @Test("every kind of token is refused where another is expected")
    func kinds() throws {
        let key = keys.signingKey(at: TokenWorld.now)
        for type in ["at+jwt", "rt+jwt", "JWT"] {
            for claims in [try claims(), try world.claims()] {
                let token = try key.sign(claims, type: type)
                #expect(fault { try verify(token) } == .unknownKey, "signed with the access tokens' key")
                let mac = signed(claims, type: type)
                #expect(fault { try world.verifier.verify(bearer: mac, at: TokenWorld.now) } == .unknownKey)
                #expect((try? verify(mac)) == nil || (type == "rt+jwt" && claims["gen"] != nil))
            }
        }
    }

    @Test("a MAC with the access token's kid, or a signature with the secret's kid, finds no key")
    func swappedKeys() throws {
        let key = keys.signingKey(at: TokenWorld.now)
        #expect(fault { try verify(signed(claims(), id: key.id)) } == .unknownKey)
        let forge = try Forge(.es256)
        let header = #"{"alg":"ES256","kid":"r1","typ":"rt+jwt"}"#
        #expect(fault { try verify(Array(try forge.token(header: header).utf8)) } == .wrongAlgorithm)
    }

    @Test("with three secrets in turn, each generation keeps its own, and the newest signs the next")
    func rotation() throws {
        let secrets = (1...3).map { number in
            IssuerKeys.RefreshEntry(
                key: TokenWorld.refreshKey("r\(number)", UInt8(number + 6)),
                createdAt: TokenWorld.now + .days(Int64(number)))
        }
        var current = session
        var issued: [(token: Secret, at: Session)] = []
        for count in 1...3 {
            world.replaceKeys(
                with: try IssuerKeys(signing: keys.signing, refresh: Array(secrets.prefix(count).shuffled())))
            let key = keys.refreshKey(at: TokenWorld.now + .days(Int64(count)))
            #expect(key.id == "r\(count)")
            issued.append((try world.issuer.refreshToken(for: current), current))
            for (token, row) in issued {
                #expect(try world.issuer.refreshToken(for: row) == token, "a retry gets the same bytes")
                #expect(try verify(token.bytes).isGenuine(for: current, under: keys))
            }
            let presented = try verify(issued[count - 1].token.bytes).presented
            // The first time confirms a pending generation, the second rotates.
            for minute in [1, 2] where current.generation < count {
                _ = current.refresh(
                    presenting: presented, at: TokenWorld.now + .minutes(Int64(count * 10 + minute)),
                    under: SessionPolicy(), signingWith: key.id)
            }
        }
        #expect(Set(issued.map(\.token)).count == 3)
    }
}
