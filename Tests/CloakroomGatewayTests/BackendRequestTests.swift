import CloakroomMiddleware
import NIOCore
import Testing

@testable import CloakroomGateway

@Suite("Requests for the backend")
struct BackendRequestTests {
    static let names = [
        "X-Auth-Subject", "X-Auth-Session", "X-Auth-Claims", "X-Auth-Token", "X-Auth-Anything", "X-Forwarded-For",
        "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP",
        "X-Original-URL", "X-Original-URI", "X-Rewrite-URL", "Authorization",
    ]

    static let spellings: [@Sendable (String) -> String] = [
        { $0 }, { $0.lowercased() }, { $0.uppercased() }, { $0.replacing("-", with: "_") },
        { $0.replacing("-", with: ".") }, { $0.lowercased().replacing("-", with: "_") },
        { $0.replacing("-", with: "!") }, { $0.replacing("-", with: "~") }, { $0.replacing("-", with: "'") },
    ]

    @Test("no spelling of a header that says who the user is crosses", arguments: names, spellings.indices)
    func forged(_ name: String, _ spelling: Int) throws {
        let written = Self.spellings[spelling](name)
        let sent = try text("GET / HTTP/1.1\r\nHost: a\r\n\(written): evil-value\r\nX-Mine: kept\r\n\r\n")
        #expect(!sent.contains("evil-value"))
        #expect(sent.contains("\r\nX-Mine: kept\r\n"))
    }

    @Test("headers of the framework's own parsing do not cross in another spelling")
    func misspelled() throws {
        let sent = try text("GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n")
        #expect(!sent.contains("Content_") && !sent.contains("Transfer_"))
    }

    @Test("a request crosses in order, with what the gateway says behind it")
    func whole() throws {
        let sent = try text(
            """
            PUT /a?b HTTP/1.1\r
            Host: a.example\r
            Cookie: x=y; __Host-Http-session=t~t\r
            TE: trailers\r
            Connection: TE, close\r
            Upgrade: h2c\r
            HTTP2-Settings: x\r
            Content-Length: 3\r
            Expect: 100-continue\r
            Accept: */*\r
            \r

            """)
        #expect(
            sent == """
                PUT /a?b HTTP/1.1\r
                Host: a.example\r
                Cookie: x=y\r
                Expect: 100-continue\r
                Accept: */*\r
                Content-Length: 3\r
                X-Forwarded-For: 192.0.2.1\r
                X-Forwarded-Proto: https\r
                X-Forwarded-Host: a.example\r
                \r

                """)
    }

    @Test("a foreign bearer crosses where the route keeps it, and nowhere else")
    func bearer() throws {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer foreign\r\n\r\n"
        #expect(try text(request, keepsBearer: true).contains("\r\nAuthorization: Bearer foreign\r\n"))
        #expect(try !text(request).contains("foreign"))
    }

    @Test("the session cookie crosses where the route keeps it, and nowhere else")
    func cookie() throws {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; __Host-Http-session=x\r\n\r\n"
        #expect(try text(request, keepsCookie: true).contains("\r\nCookie: a=b; __Host-Http-session=x\r\n"))
        #expect(try text(request).contains("\r\nCookie: a=b\r\n"))
    }

    @Test(
        "the flow cookie of a hand-over never crosses",
        arguments: [(false, "a=b"), (true, "a=b; __Host-Http-session=x")])
    func flowCookie(_ keepsCookie: Bool, _ cookies: String) throws {
        let request =
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: __Host-Http-session-flow=y; a=b; __Host-Http-session=x\r\n\r\n"
        #expect(try text(request, keepsCookie: keepsCookie).contains("\r\nCookie: \(cookies)\r\n"))
    }

    @Test(
        "the backend gets the host in one spelling",
        arguments: [
            ("Shop.Example.COM", "shop.example.com"), ("shop.example.com:443", "shop.example.com"),
            ("shop.example.com:00443", "shop.example.com"), ("shop.example.com:8443", "shop.example.com:8443"),
            ("shop.example.com", "shop.example.com"),
        ])
    func host(_ written: String, _ expected: String) throws {
        for request in [
            "GET / HTTP/1.1\r\nHost: \(written)\r\n\r\n", "GET https://\(written)/ HTTP/1.1\r\nHost: other\r\n\r\n",
        ] {
            let sent = try text(request)
            #expect(
                sent.contains("\r\nHost: \(expected)\r\n") && sent.contains("\r\nX-Forwarded-Host: \(expected)\r\n"))
            #expect(sent.ranges(of: "\r\nHost:").count == 1)
        }
    }

    private func text(_ request: String, keepsBearer: Bool = false, keepsCookie: Bool = false) throws -> String {
        let head = try RequestHead(ByteBuffer(string: request))
        var buffer = ByteBuffer()
        BackendRequest(
            head: head, target: head.target.text, access: nil,
            forwarded: ForwardedFields(client: "192.0.2.1", scheme: "https", host: head.host ?? ""),
            keepsBearer: keepsBearer, keepsCookie: keepsCookie, cookies: OwnCookies(SessionCookie(), hasFlows: true)
        ).write(to: &buffer)
        return String(buffer: buffer)
    }
}
