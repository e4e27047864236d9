import CloakroomCore
import HTTPTypes
import Testing

@testable import CloakroomMiddleware

@Suite struct SessionCookieTests {
    private static let safari =
        "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15"
    private static let chrome =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"

    /// Name of the cookie, whether the server is a loopback development server, and what a browser gets.
    static let names: [(name: String, isDevelopment: Bool, userAgent: String, set: String)] = [
        ("__Host-Http-session", false, safari, "__Host-Http-session=; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("__Host-Http-session", true, safari, "cloakroom-session=; Path=/; HttpOnly; SameSite=Lax"),
        ("__Host-Http-session", true, chrome, "__Host-Http-session=; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("__Host-Http-session", true, "", "__Host-Http-session=; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("__Host-shop", false, safari, "__Host-shop=; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("__Host-shop", true, safari, "cloakroom-shop=; Path=/; HttpOnly; SameSite=Lax"),
        ("__Host-Http-session_two", true, safari, "cloakroom-session_two=; Path=/; HttpOnly; SameSite=Lax"),
    ]

    @Test("only WebKit in loopback development gets a plain cookie, with a name of its own", arguments: names)
    func named(_ row: (name: String, isDevelopment: Bool, userAgent: String, set: String)) throws {
        let cookie = SessionCookie(name: row.name, isLoopbackDevelopment: row.isDevelopment)
        let headers: HTTPFields = [.userAgent: row.userAgent]
        #expect(cookie.expiring(for: headers) == "\(row.set); Max-Age=0")
        let name = try #require(row.set.split(separator: "=").first)
        let sent: HTTPFields = [.userAgent: row.userAgent, .cookie: "\(name)=value"]
        #expect(cookie.values(in: sent) == [Array("value".utf8)], "the cookie that was set is read back")
        #expect(cookie.values(in: "\(name)=value", userAgent: row.userAgent) == [Array("value".utf8)])
    }

    @Test("the plain cookie is refused from any other browser and outside of development")
    func plainElsewhere() {
        for (isDevelopment, userAgent) in [(false, Self.safari), (true, Self.chrome), (true, "curl/8")] {
            let cookie = SessionCookie(isLoopbackDevelopment: isDevelopment)
            #expect(cookie.values(in: [.userAgent: userAgent, .cookie: "cloakroom-session=value"]) == [])
        }
    }

    @Test("two apps on one host with two names do not see each other's cookies")
    func twoApps() {
        let (one, other) = (SessionCookie(name: "__Host-one"), SessionCookie(name: "__Host-other"))
        let sent: HTTPFields = [.cookie: "__Host-one=1; __Host-other=2"]
        #expect(one.values(in: sent) == [Array("1".utf8)] && other.values(in: sent) == [Array("2".utf8)])
    }

    @Test(
        "a cookie name has a prefix that browsers enforce, and no character that ends a name",
        arguments: [
            ("__Host-Http-session", true), ("__Host-a", true), ("__Host-a.b_c-1", true), ("__Host-", false),
            ("session", false), ("__Secure-session", false), ("__host-session", false), ("__Host-a b", false),
            ("__Host-a=b", false), ("__Host-a;b", false), ("__Host-é", false), ("__Host-a\u{0}", false),
            (" __Host-a", false), ("__Host-\(String(repeating: "a", count: 57))", true),
            ("__Host-\(String(repeating: "a", count: 58))", false), ("", false),
        ])
    func isName(_ text: String, _ expected: Bool) {
        #expect(SessionCookie.isName(text) == expected)
    }
}
