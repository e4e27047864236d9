import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomMiddleware

@Suite struct RequestCredentialsTests {
    private let world: AuthorizerWorld

    init() throws {
        world = try AuthorizerWorld()
    }

    private func isSound(_ credentials: RequestCredentials) -> Bool {
        (try? credentials.cookie?.get()) != nil
    }

    @Test("a duplicate cookie is accepted if exactly one verifies")
    func twice() throws {
        let (mine, other) = (try world.cookieValue(), try world.cookieValue(world.session("other")))
        #expect(isSound(world.credentials(cookies: mine)))
        #expect(isSound(world.credentials(cookies: mine, "tossed")))
        #expect(isSound(world.credentials(cookies: "tossed", mine, "~")))
        #expect(!isSound(world.credentials(cookies: mine, other)), "the other cookie is a session from a sibling host")
        #expect(!isSound(world.credentials(cookies: mine, mine)))
        #expect(!isSound(world.credentials(cookies: "a", "b")))
        #expect(isSound(world.credentials(cookies: "a", "b", "c", mine)))
        #expect(
            !isSound(world.credentials(cookies: "a", "b", "c", "d", mine)), "more than four values are not verified")
        #expect(world.credentials().cookie == nil && world.credentials().refresh == nil)
    }

    @Test("item 6: the refresh half is judged alone, with any fault in the access half")
    func refreshHalf() throws {
        let refresh = try world.issuer.refreshToken(for: world.session())
        let text = String(decoding: refresh.bytes, as: UTF8.self)
        let forged = AuthorizerWorld.bearer(try AuthorizerWorld().access()).dropFirst(7)
        for access in ["", "x", "a.b.c", String(forged)] {
            let credentials = world.credentials(cookies: "\(access)~\(text)")
            #expect(try credentials.refresh?.get().bytes == refresh, "\(access.prefix(9))")
        }
        // An attacker combined the tokens of two sessions in one cookie.
        let other = String(decoding: try world.access(world.session("other")).token.bytes, as: UTF8.self)
        #expect((try? world.credentials(cookies: "\(other)~\(text)").refresh?.get()) == nil)
        // Two cookies that both fail verification: neither counts.
        #expect((try? world.credentials(cookies: "x~\(text)", "y~\(text)").refresh?.get()) == nil)
        for value in ["", text, "\(text)~\(text)~", "~"] {
            let half = try? world.credentials(cookies: value).refresh?.get()
            #expect(half == nil || half?.bytes.bytes.isEmpty == true, "\(value.prefix(9))")
        }
    }

    /// An `Authorization` header, and whether it is a bearer of ours (nil for no bearer at all).
    static let authorizations: [(value: String, isOurs: Bool?)] = [
        ("Bearer OURS", true), ("bearer OURS", true), ("BEARER OURS", true), ("Bearer OURSx", true),
        ("Bearer  OURS", true), ("Bearer\tOURS", false), ("BearerOURS", false), ("Bearer", false), ("Bearer ", false),
        ("Bearer opaque", false), ("Basic OURS", nil), ("OURS", nil), ("", nil), (" Bearer OURS", nil),
    ]

    @Test(
        "RFC 6750 section 2.1: a bearer has one form, and every other scheme is left to the app",
        arguments: authorizations)
    func authorization(_ row: (value: String, isOurs: Bool?)) throws {
        let token = String(decoding: try world.access().token.bytes, as: UTF8.self)
        let value = row.value.replacing("OURS", with: token)
        switch world.credentials(authorization: [value]).bearer {
        case .ours: #expect(row.isOurs == true, "\(row.value)")
        case .foreign: #expect(row.isOurs == false, "\(row.value)")
        case nil: #expect(row.isOurs == nil, "\(row.value)")
        }
    }
}
