import CloakroomCore
import Crypto
import Testing

@testable import CloakroomTokens

/// Weaknesses that a security review found in the token layer, one test for each.
@Suite struct FixedWeaknessTests {
    private let now = TokenWorld.now

    private func isRefused(_ jwk: String) -> Bool { JSONWebKeyTests.isRefused(jwk) }

    @Test(
        "x and y of an EC key each have the full length of a coordinate (RFC 7518 section 6.2.1.2)",
        arguments: [0, 1, 31, 33, 63])
    func coordinateLength(_ cut: Int) {
        let point = Array(P256.Signing.PrivateKey().publicKey.rawRepresentation)
        let (x, y) = (Base64URL.encode(point[..<cut]), Base64URL.encode(point[cut...]))
        #expect(isRefused(#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#))
    }

    @Test(
        "an Ed25519 key has one encoding and no small order",
        arguments: [
            // p + 1: a second encoding of the identity.
            "7v_______________________________________38",
            // Of order 1, 2 and 4.
            "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "7P_______________________________________38",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ])
    func edwardsPoint(_ x: String) {
        #expect(isRefused(#"{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}"#))
    }

    @Test("the identity as an Ed25519 key, under which one signature fits every message, is refused")
    func edwardsIdentity() throws {
        let jwk = #"{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#
        let signature = Base64URL.encode([1] + [UInt8](repeating: 0, count: 63))
        let header = Base64URL.encode(Array(#"{"alg":"EdDSA"}"#.utf8))
        for claims in [#"{"sub":"a"}"#, #"{"sub":"b"}"#] {
            let token = "\(header).\(Base64URL.encode(Array(claims.utf8))).\(signature)"
            #expect(throws: (any Error).self) {
                try VerifiedJWS.verify(Array(token.utf8), with: KeySet(parsing: Array(jwk.utf8)))
            }
        }
    }

    @Test("iss and aud are compared without Unicode normalisation (RFC 7519 section 7.3)")
    func normalisation() throws {
        let world = try TokenWorld(issuer: "https://\u{E9}.example", audience: "api-\u{E9}-K")
        for (name, value) in [
            ("iss", "https://e\u{301}.example"), ("aud", "api-e\u{301}-K"), ("aud", "api-\u{E9}-\u{212A}"),
        ] {
            var claims = try world.claims()
            claims[name] = .string(value)
            let token = try world.sign(claims)
            #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: token, at: now) }
        }
    }

    @Test("kid and kty are compared as bytes")
    func normalisedNames() throws {
        let forge = try Forge(.es256, kid: "K1")
        let kelvin = "\u{212A}1"
        let token = try forge.token(header: #"{"alg":"ES256","kid":"\#(kelvin)"}"#)
        #expect(forge.verdict(token) == .unknownKey)
        #expect(isRefused("{\"kty\":\"O\u{212A}P\",\"crv\":\"Ed25519\",\(JSONWebKeyTests.ed25519)}"))
    }

    @Test("nbf counts if it is present (RFC 7519 section 4.1.5), also for `cloakroom verify`")
    func notBefore() throws {
        let world = try TokenWorld()
        for nbf in [.integer((now + .days(1)).seconds), "soon", .null] as [JSONValue] {
            var claims = try world.claims()
            claims["nbf"] = nbf
            let token = try world.sign(claims)
            let inspection = TokenInspection(issuer: nil, audience: nil, type: "at+jwt")
            #expect(throws: TokenFault.self) {
                try inspection.claims(of: token, with: world.keySet, at: now)
            }
            #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: token, at: now) }
        }
    }

    @Test("a fresh token under a retired key is refused (J12): a stolen old key forges nothing")
    func retiredKey() throws {
        let world = try TokenWorld()
        let claims = try world.claims()
        let keys = try (0..<2).map { _ in try SigningKey.generate(.es256) }
        let issuerKeys = try IssuerKeys(
            signing: [
                .init(key: keys[0], createdAt: now - .days(60), signsFrom: now - .days(60)),
                .init(key: keys[1], createdAt: now - .days(30), signsFrom: now - .days(30)),
            ], refresh: world.keys.current.refresh)
        #expect(issuerKeys.verifierKeys.stage(of: keys[0].id, at: now, lifetime: .minutes(5)) == .retired)
        world.replaceKeys(with: issuerKeys)
        let forged = try keys[0].sign(claims, type: "at+jwt")
        #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: forged, at: now) }
    }

    @Test("of two keys that begin at the same time, the one with the greater id signs, and the other retires too")
    func tie() throws {
        let entries = try (0..<2).map { _ in
            IssuerKeys.SigningEntry(key: try SigningKey.generate(.es256), createdAt: now, signsFrom: now)
        }
        let keys = try VerifierKeys(entries.map { .init(key: try $0.key.verificationKey(), signsFrom: $0.signsFrom) })
        let stages = entries.sorted { $0.key.id < $1.key.id }.map {
            keys.stage(of: $0.key.id, at: now + .days(365), lifetime: .minutes(5))
        }
        #expect(stages == [.retired, .signing])
    }

    @Test("a verification that began with the old keys adds no entry to the cache of the new keys")
    func exchangeRace() async throws {
        let (old, newer) = (try TokenWorld.issuerKeys(.es256), try TokenWorld.issuerKeys(.es256))
        let world = try TokenWorld()
        let issuer = TokenIssuer(issuer: TokenWorld.issuer, audience: TokenWorld.audience, keys: LiveKeys(old))
        var survivors = 0
        for round in 0..<1000 {
            world.replaceKeys(with: old)
            let tokenID = [UInt8(round & 0xFF), UInt8(round >> 8)]
            let token = try issuer.accessToken(
                for: .example(), generation: 0, tokenID: tokenID, at: now, under: world.policy
            ).token.bytes
            await withTaskGroup { group in
                group.addTask { _ = try? world.verifier.verify(bearer: token, at: TokenWorld.now) }
                group.addTask {
                    for _ in 0..<(round % 60) { _ = SHA256.hash(data: token) }
                    world.replaceKeys(with: newer)
                }
            }
            if (try? world.verifier.verify(bearer: token, at: now)) != nil { survivors += 1 }
        }
        #expect(survivors == 0, "of 1,000")
    }

    @Test(
        "a server's clock that goes back by minutes ends no session (J35): the cookie is stale meanwhile")
    func clockGoesBack() throws {
        let world = try TokenWorld()
        let cookie = try world.cookie()
        #expect(fault { try world.verifier.verify(cookie: cookie, at: now - .minutes(5)) } == nil)
    }

    @Test(
        "`cloakroom verify` requires the claims of RFC 9068 section 2.2",
        arguments: ["iss", "sub", "aud", "client_id", "iat", "jti"])
    func inspection(_ name: String) throws {
        let world = try TokenWorld()
        var claims = try world.claims()
        claims[name] = nil
        let token = try world.sign(claims)
        #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: token, at: now) }
        #expect(throws: TokenFault.self) {
            try TokenInspection(issuer: nil, audience: nil, type: "at+jwt").claims(
                of: token, with: world.keySet, at: now)
        }
    }
}
