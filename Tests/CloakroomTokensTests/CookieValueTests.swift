import CloakroomCore
import Testing

@testable import CloakroomTokens

/// The value of the session cookie at the limits of its parts.
@Suite struct CookieValueTests {
    private let world: TokenWorld
    private let now = TokenWorld.now

    init() throws {
        world = try TokenWorld()
    }

    private func text(_ session: Session = .example()) throws -> (access: String, refresh: String) {
        (
            String(decoding: try world.access(for: session).token.bytes, as: UTF8.self),
            String(decoding: try world.issuer.refreshToken(for: session).bytes, as: UTF8.self)
        )
    }

    private func verdict(_ value: String, at now: Instant = TokenWorld.now) -> TokenFault? {
        fault { try world.verifier.verify(cookie: Array(value.utf8), at: now) }
    }

    @Test(
        "a cookie value is two tokens with one ~ between them, and nothing else",
        arguments: [" ", "\t", "\u{0}", ";", ",", "\"", "%7E", "~", ".", "=", "\r\n"])
    func form(_ extra: String) throws {
        let (access, refresh) = try text()
        #expect(verdict("\(access)~\(refresh)") == nil)
        for value in [
            "\(extra)\(access)~\(refresh)", "\(access)\(extra)~\(refresh)", "\(access)~\(extra)\(refresh)",
            "\(access)~\(refresh)\(extra)", "\(extra)~\(refresh)", "~\(refresh)\(extra)", "~\(extra)\(refresh)",
        ] { #expect(verdict(value) != nil, "\(extra.debugDescription)") }
        if extra != "~" { #expect(verdict("\(access)\(extra)\(refresh)") != nil) }
    }

    @Test("hybrid: an empty access token before ~ is accepted, a bad one is not")
    func hybrid() throws {
        let (access, refresh) = try text()
        #expect(verdict("~\(refresh)") == nil)
        for bad in ["x", ".", "..", "null", "a.b.c", refresh, String(access.dropLast())] {
            #expect(verdict("\(bad)~\(refresh)") != nil)
        }
        for bad in ["\(access)~", "~\(access)", "~", refresh, "\(refresh)~"] { #expect(verdict(bad) != nil) }
    }

    @Test("an expired access token of another session is refused beside a good refresh token")
    func otherSession() throws {
        let mine = try text()
        let other = try text(.example("other"))
        for time in [now, now + .minutes(10), now + .days(10)] {
            #expect(verdict("\(other.access)~\(mine.refresh)", at: time) == .differentSessions)
            #expect(verdict("\(mine.access)~\(other.refresh)", at: time) == .differentSessions)
        }
    }

    @Test("an access token of another issuer or audience is refused although the refresh token is ours")
    func otherIssuer() throws {
        let refresh = try text().refresh
        for (name, value, expected) in [
            ("iss", "https://other.example", TokenFault.wrongIssuer), ("aud", "https://other.example", .wrongAudience),
        ] {
            var claims = try world.claims()
            claims[name] = .string(value)
            let access = String(decoding: try world.sign(claims), as: UTF8.self)
            #expect(verdict("\(access)~\(refresh)") == expected)
            #expect(verdict("\(access)~\(refresh)", at: now + .days(1)) == expected, "expired or not")
        }
    }

    @Test("a value over 4,096 bytes is refused before it is parsed")
    func size() throws {
        let (access, refresh) = try text()
        let room = SessionTokens.maximumSize - "\(access)~\(refresh)".utf8.count
        #expect(
            verdict("\(access)~\(refresh)" + String(repeating: "A", count: room))
                != .malformed("the cookie is too long"))
        #expect(
            verdict("\(access)~\(refresh)" + String(repeating: "A", count: room + 1))
                == .malformed("the cookie is too long"))
    }

    @Test("join and verify are each other's inverse")
    func roundTrip() throws {
        for id in ["a", "0123456789abcdef01234567"] {
            let session = Session.example(id)
            let access = try world.access(for: session)
            let refresh = try world.issuer.refreshToken(for: session)
            let value = SessionTokens.join(access: access.token, refresh: refresh)
            #expect(value.utf8.filter { $0 == SessionTokens.separator }.count == 1)
            let checked = try world.verifier.verify(cookie: Array(value.utf8), at: now)
            guard case .live(let verified, let half) = checked else {
                Issue.record("not live")
                return
            }
            #expect(verified == access && half.bytes == refresh && checked.access == access)
        }
    }

    /// The complete `Set-Cookie` with the longest values that a configuration allows and ids like those of the service.
    static func header(_ algorithm: SignatureAlgorithm, policy: SessionPolicy) throws -> String {
        let longest = String(repeating: "x", count: 128)
        let world = try TokenWorld(algorithm, issuer: longest, audience: longest, policy: policy)
        var evidence = Evidence(.password, at: TokenWorld.now)
        for factor in Factor.allCases { evidence.add(Evidence(factor, at: TokenWorld.now)) }
        var session = Session(
            id: SessionID(Base64URL.encode([UInt8](repeating: 0xFF, count: 18))),
            subject: Subject("u_" + Base64URL.encode([UInt8](repeating: 0xFF, count: 18))),
            secret: Secret([UInt8](repeating: 1, count: 32)), refreshKey: "r1",
            details: Session.Details(
                client: ClientID(String(repeating: "c", count: 64)), remembered: true, userAgent: "",
                address: "", evidence: evidence),
            at: TokenWorld.now, under: policy)
        let presented = PresentedRefresh(generation: Int(Int32.max), issuedAt: TokenWorld.now, key: "r1")
        #expect(
            session.refresh(presenting: presented, at: TokenWorld.now, under: policy, signingWith: "r1") == .adopted)
        let access = try world.issuer.accessToken(
            for: session, generation: session.generation, tokenID: [UInt8](repeating: 0xFF, count: 16),
            at: TokenWorld.now + Span(milliseconds: 123),
            under: policy)
        let value = SessionTokens.join(access: access.token, refresh: try world.issuer.refreshToken(for: session))
        #expect(
            fault { try world.verifier.verify(cookie: Array(value.utf8), at: access.issuedAt) } == nil, "and it is good"
        )
        return
            "Set-Cookie: __Host-Http-session=\(value); Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=34560000\r\n"
    }

    @Test(
        "the whole header stays under 2,048 bytes, with times in milliseconds too",
        arguments: SignatureAlgorithm.signing, [Span.minutes(5), .seconds(29)])
    func headerSize(_ algorithm: SignatureAlgorithm, _ lifetime: Span) throws {
        let header = try Self.header(algorithm, policy: SessionPolicy(accessTokenLifetime: lifetime))
        #expect(header.utf8.count < 2048, "\(algorithm): \(header.utf8.count)")
        // RFC 6265bis: a browser may drop a name and value over 4,096 bytes together.
        #expect(header.utf8.allSatisfy { $0 < 0x7F })
    }
}
