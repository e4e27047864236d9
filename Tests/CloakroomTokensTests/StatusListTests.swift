import CloakroomCore
import Testing

@testable import CloakroomTokens

/// The Token Status List, draft-ietf-oauth-status-list-20.
@Suite struct StatusListTests {
    private let service = StatusListService(prefix: "https://a.example/lists/", ttl: 15)
    private let list = [UInt8](repeating: 0xA7, count: 9)

    private func session(_ index: UInt16, prefix: UInt8 = 1) -> SessionID {
        StatusListEntry.session(prefix: [UInt8](repeating: prefix, count: 6), list: list, index: index)
    }

    @Test("the first example of section 4.1: 16 entries in two bytes")
    func example() throws {
        let list = try StatusList(invalid: [0, 3, 4, 5, 7, 8, 9, 13, 15], entries: 16)
        #expect(list.json == ["bits": 1, "lst": "eNrbuRgAAhcBXQ"])
    }

    @Test("the test vector for one bit: 2^20 entries")
    func vector() throws {
        let invalid = [
            0, 1993, 25460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345,
        ]
        let text =
            "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAA"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAA"
            + "AAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
        #expect(try StatusList(invalid: invalid, entries: 1 << 20).json == ["bits": 1, "lst": .string(text)])
    }

    @Test("a session's id has its entry, for every index", arguments: [0, 1, 255, 256, 65_534, 65_535])
    func entry(_ index: UInt16) throws {
        let entry = try #require(StatusListEntry(session(index)))
        #expect(entry.index == index)
        #expect(entry.list.text == Base64URL.encode(list))
        #expect(StatusListID(entry.list.text) == entry.list)
        #expect(SessionBits(session(index))?.session == session(index))
    }

    @Test(
        "an id of another form has no entry",
        arguments: ["", "session", "0123456789abcdef01234567", "AAAAAAAAAAAAAAAAAAAAAQAA", "*23456789abcdef0AAAA0000"])
    func others(_ id: String) {
        #expect(StatusListEntry(SessionID(id)) == nil)
    }

    @Test(
        "the name of a list has 12 characters of base64url",
        arguments: ["", "a", "12345678901", "1234567890123", "12345678901="])
    func names(_ text: String) {
        #expect(StatusListID(text) == nil)
    }

    @Test("an access token names the list of its session only if there are lists")
    func claim() throws {
        let plain = try TokenWorld()
        #expect(try plain.claims()["status"] == nil)
        let issuer = TokenIssuer(
            issuer: TokenWorld.issuer, audience: TokenWorld.audience, keys: plain.keys, statusLists: service)
        for (id, status) in [
            (
                session(700).rawValue,
                ["status_list": ["idx": 700, "uri": .string("https://a.example/lists/\(Base64URL.encode(list))")]]
                    as JSONValue?
            ), ("session", nil),
        ] {
            let access = try issuer.accessToken(
                for: .example(id), generation: 0, tokenID: [1], at: TokenWorld.now, under: plain.policy)
            let claims = try VerifiedJWS.verify(access.token.bytes, with: plain.keySet).claims()
            #expect(claims["status"] == status)
            #expect(try plain.verifier.verify(bearer: access.token.bytes, at: TokenWorld.now).claims == .empty)
        }
    }

    @Test("a list is signed with the claims of section 5.1, and is no access token")
    func signed() throws {
        let world = try TokenWorld()
        let entry = try #require(StatusListEntry(session(3)))
        let key = world.keys.current.signingKey(at: TokenWorld.now)
        let token = try service.sign(entry.list, invalid: [3], at: TokenWorld.now + .seconds(1), with: key)
        let jws = try VerifiedJWS.verify(token, with: world.keySet)
        #expect(jws.type == "statuslist+jwt")
        var expected: JSONObject = [
            "sub": .string("https://a.example/lists/\(Base64URL.encode(list))"), "iat": 1_800_000_001,
            "exp": 1_800_000_031, "ttl": 15,
        ]
        expected["status_list"] = try StatusList(invalid: [3]).json
        #expect(try jws.claims() == expected)
        #expect(fault { try world.verifier.verify(bearer: token, at: TokenWorld.now) } != nil)
    }

    @Test("the view names the revoked sessions of each list, and forgets them with their tokens")
    func view() throws {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let entry = try #require(StatusListEntry(session(3)))
        for id in [session(3), session(3, prefix: 2), session(40_000), SessionID("0123456789abcdef01234567")] {
            view.insert(id, at: TokenWorld.uptime)
        }
        #expect(view.byStatusList().mapValues { Set($0) } == [entry.list: [3, 40_000]])
        view.confirm(at: TokenWorld.uptime + .seconds(420), TokenWorld.now + .seconds(420))
        #expect(view.byStatusList().isEmpty)
    }

    @Test("the age of the view is that of its proof; it has none after the wall clock was set back")
    func age() {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let (uptime, now) = (TokenWorld.uptime, TokenWorld.now)
        #expect(view.age(at: uptime, now) == nil)
        view.confirm(at: uptime, now)
        #expect(view.age(at: uptime + .seconds(7), now + .seconds(7)) == .seconds(7))
        #expect(view.age(at: uptime + .seconds(7), now + .days(7)) == .seconds(7))
        #expect(view.age(at: uptime + .seconds(7), now) == nil)
    }
}
