import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

@Suite struct HandOverStateTests {
    private static let flow = Secret([UInt8](repeating: 7, count: 32))
    private static let time = Instant(milliseconds: 1_800_000_000_123)

    @Test(
        "a state survives a round trip",
        arguments: ["/", "/cart?item=7&a=%2F", "/" + String(repeating: "a", count: 999)])
    func roundTrip(_ path: String) throws {
        let host = try #require(WebOrigin(parsing: "https://shop.example.com:8443"))
        for isStepUp in [false, true] {
            let state = HandOverState(
                from: host, flow: Self.flow, startedAt: Self.time, returnTo: path, isStepUp: isStepUp)
            #expect(state.request.returnTo == path && state.request.isStepUp == isStepUp)
            #expect(state.request.flow == SessionService.digest(Self.flow, startedAt: Self.time))
            #expect(HandOverState(parsing: state.text) == state)
            // The login page takes a path of at most 4,096 bytes as its `return_to`.
            #expect(SameOriginPath.isSafe("\(Endpoint.handOverPath)?state=\(state.text)"))
        }
    }

    @Test("a state has a digest of the flow cookie, never the cookie")
    func digest() throws {
        let host = try #require(WebOrigin(parsing: "https://shop.example.com"))
        let state = HandOverState(from: host, flow: Self.flow, startedAt: Self.time, returnTo: nil, isStepUp: false)
        let bytes = try #require(Base64URL.decode(state.text))
        #expect(!String(decoding: bytes, as: UTF8.self).contains(Base64URL.encode(Self.flow.bytes)))
    }

    @Test(
        "any other text is no state",
        arguments: [
            "", "e30", "!!!!", #"{"host":"https://shop.example.com"}"#, #"{"host":"shop.example.com","#,
            #"{"host":"null","flow":"FLOW","started_at":1,"return_to":"/"}"#,
            #"{"host":"https://shop.example.com/","flow":"FLOW","started_at":1,"return_to":"/"}"#,
            #"{"host":"https://shop.example.com","flow":"AAAA","return_to":"/"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":1,"return_to":"//evil.example"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":1,"return_to":"https://evil.example"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":1,"return_to":"/a b"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":1}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","return_to":"/"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":-1,"return_to":"/"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":"1","return_to":"/"}"#,
            #"{"host":"https://shop.example.com","flow":"FLOW","started_at":1,"return_to":"/","return_to":"/"}"#,
        ])
    func malformed(_ text: String) {
        let document = text.replacing("FLOW", with: Base64URL.encode([UInt8](repeating: 7, count: 32)))
        #expect(HandOverState(parsing: text) == nil)
        #expect(HandOverState(parsing: Base64URL.encode(Array(document.utf8))) == nil)
    }

    @Test("a state of the future is refused, and its time cannot be changed")
    func startedAt() throws {
        let host = try #require(WebOrigin(parsing: "https://shop.example.com"))
        let state = HandOverState(from: host, flow: Self.flow, startedAt: Self.time, returnTo: nil, isStepUp: true)
        #expect(state.isPossible(at: Self.time - .seconds(30)) && !state.isPossible(at: Self.time - .seconds(31)))
        #expect(SessionService.digest(Self.flow, startedAt: Self.time + .seconds(1)) != state.request.flow)
    }

    @Test("a flow cookie is one secret of 256 bits under a name of its own, and Lax with a Strict session")
    func flowCookie() throws {
        let cookie = FlowCookie(of: SessionCookie(name: "__Host-shop", sameSite: .strict))
        let text = cookie.setting(Self.flow, for: [:])
        let value = Base64URL.encode(Self.flow.bytes)
        #expect(text == "__Host-shop-flow=\(value); Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600")
        let cases: [(String, Bool)] = [
            ("__Host-shop-flow=\(value)", true), ("a=b; __Host-shop-flow=\(value); c=d", true),
            ("__Host-shop-flow=\(value); __Host-shop-flow=\(value)", false), ("__Host-shop-flow=AAAA", false),
            ("__Host-shop=\(value)", false), ("__host-shop-flow=\(value)", false), ("", false),
        ]
        for (header, isFound) in cases {
            #expect((cookie.secret(in: [.cookie: header]) == Self.flow) == isFound, "\(header)")
        }
        let webKit = "Mozilla/5.0 AppleWebKit/605.1 (KHTML, like Gecko) Version/17 Safari/605.1"
        let plain = FlowCookie(of: SessionCookie(isLoopbackDevelopment: true))
        #expect(plain.setting(Self.flow, for: [.userAgent: webKit]).hasPrefix("cloakroom-session-flow="))
    }
}
