import Testing

@testable import CloakroomLab

@Suite struct StolenTokensTests {
    private func token(_ header: JSONValue, _ payload: JSONValue) -> String {
        "\(Base64URL.encode(header.serialized)).\(Base64URL.encode(payload.serialized)).c2ln"
    }

    private var access: String { token(["alg": "ES256", "typ": "at+jwt"], ["sub": "u", "sid": "s"]) }
    private var refresh: String { token(["alg": "HS256", "typ": "rt+jwt"], ["sid": "s", "gen": 3]) }

    @Test("Cloakroom's tokens are recognized by their type, in a cookie, in JSON and alone")
    func ours() {
        for loot in [
            "__Host-Http-session=\(access)~\(refresh)",
            "{\"access_token\":\"\(access)\",\"refresh_token\":\"\(refresh)\"}",
        ] {
            let stolen = StolenTokens(in: loot)
            #expect(stolen.access == [access] && stolen.refresh == [refresh])
            #expect(stolen.pair == "\(access)~\(refresh)")
        }
        #expect(StolenTokens(in: "session=~\(refresh)").pair == "~\(refresh)")
    }

    @Test("a tutorial's tokens are recognized by their use")
    func tutorials() {
        let tokens = TutorialTokens()
        let access = tokens.token(.access, for: "a", seconds: 1)
        let refresh = tokens.token(.refresh, for: "a", seconds: 1)
        let stolen = StolenTokens(in: "x \(refresh) y \(access)")
        #expect(stolen.access == [access] && stolen.refresh == [refresh])
    }

    @Test("other text is no token")
    func nothing() {
        let stolen = StolenTokens(in: "eyJ.eyJ. here: eyJhbGciOiJub25lIn0 and nothing else")
        #expect(stolen.access.isEmpty && stolen.refresh.isEmpty && stolen.pair == nil)
    }
}
