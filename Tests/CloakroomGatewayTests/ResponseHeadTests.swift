import CloakroomMiddleware
import NIOCore
import Testing

@testable import CloakroomGateway

@Suite("Heads of responses")
struct ResponseHeadTests {
    @Test(
        "a response that two readers could end in different places is refused",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
            "HTTP/1.1 200 O\u{1}K\r\n\r\n", "HTTP/1.0 100 Continue\r\n\r\n", "HTTP/1.0 101 X\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\t\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n",
        ])
    func refused(_ text: String) {
        #expect(throws: MalformedHead.self) { try ResponseHead(ByteBuffer(string: text)) }
    }

    @Test(
        "the body ends where the status and the headers say",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, Framing.length(5), true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, .chunked, true),
            ("HTTP/1.1 200 OK\r\n\r\n", false, .close, false),
            ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, .empty, true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, .length(5), false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close\r\n\r\n", false, .length(5), false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, .empty, true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, .empty, true),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, .empty, true),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, .empty, true),
        ])
    func framing(_ text: String, _ isToHead: Bool, _ framing: Framing, _ keeps: Bool) throws {
        let head = try ResponseHead(ByteBuffer(string: text))
        #expect(head.bodyFraming(isToHead: isToHead) == framing)
        #expect(head.keepsConnection == keeps)
    }

    @Test("the browser gets the backend's headers, but neither our cookie nor what is of the connection")
    func rewriting() throws {
        let head = try ResponseHead(
            ByteBuffer(
                string: """
                    HTTP/1.1 200 Fine\r
                    Set-Cookie: a=b; Path=/\r
                    Set-Cookie: __Host-Http-session=evil\r
                    Set-Cookie:  __Host-Http-session =evil\r
                    Set-Cookie: =__Host-Http-session=evil\r
                    set-cookie: __Host-Http-sessionx=fine\r
                    X-Auth-Subject: evil\r
                    Connection: keep-alive, X\r
                    Keep-Alive: timeout=5\r
                    Cache-Control: public\r
                    CDN-Cache-Control: public\r
                    Content-Length: 5\r
                    \r

                    """))
        #expect(
            text(head, setCookie: nil) == """
                HTTP/1.1 200 Fine\r
                Set-Cookie: a=b; Path=/\r
                set-cookie: __Host-Http-sessionx=fine\r
                Cache-Control: public\r
                CDN-Cache-Control: public\r
                Content-Length: 5\r
                \r

                """)
        #expect(
            text(head, setCookie: "__Host-Http-session=new") == """
                HTTP/1.1 200 Fine\r
                Set-Cookie: a=b; Path=/\r
                set-cookie: __Host-Http-sessionx=fine\r
                Content-Length: 5\r
                Set-Cookie: __Host-Http-session=new\r
                Cache-Control: no-store\r
                \r

                """)
    }

    @Test(
        "our cookie is cut out wherever it stands, and nothing else",
        arguments: [
            ("a=b", nil), ("__Host-Http-session=x", ""), ("a=b; __Host-Http-session=x; c=d", "a=b; c=d"),
            ("__Host-Http-session=x;a=b", "a=b"), ("a=b;  __Host-Http-session = x", "a=b"),
            ("__Host-Http-sessions=x", nil), ("x__Host-Http-session=x", nil), ("a=__Host-Http-session=x", nil),
            ("__Host-Http-session=x; __Host-Http-session=y; b", "b"), ("", nil),
        ] as [(String, String?)])
    func cookies(_ header: String, _ expected: String?) {
        let cut = Array(header.utf8).withUnsafeBytes { OwnCookies(SessionCookie()).cutting($0) }
        #expect(cut.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test(
        "a session cookie that the rule relays crosses in place of a renewed one, and is not cached"
    )
    func relayedCookie() throws {
        let head = try ResponseHead(
            ByteBuffer(
                string: "HTTP/1.1 200 OK\r\nCache-Control: public\r\nSet-Cookie: __Host-Http-session=new; Path=/\r\n"
                    + "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"))
        let relayed = text(head, setCookie: "__Host-Http-session=renewed") {
            $0.starts(with: "__Host-Http-session=new".utf8) ? "relayed=1" : nil
        }
        #expect(relayed.contains("\r\nSet-Cookie: relayed=1\r\n") && relayed.contains("a=b"))
        #expect(!relayed.contains("renewed") && !relayed.contains("session=new"))
        #expect(relayed.contains("Cache-Control: no-store") && !relayed.contains("public"))
        for cookie in ["__Host-Http-session-flow=", "=__Host-Http-session=x", "=__Host-Http-session-flow=x"] {
            let other = try ResponseHead(ByteBuffer(string: "HTTP/1.1 200 OK\r\nSet-Cookie: \(cookie)\r\n\r\n"))
            #expect(!text(other, setCookie: nil, relay: { _ in "relayed=1" }).contains("Set-Cookie"), "\(cookie)")
        }
        let refused = text(head, setCookie: "__Host-Http-session=renewed") { _ in nil }
        #expect(!refused.contains("session=new") && refused.contains("renewed"))
        let hints = try ResponseHead(
            ByteBuffer(string: "HTTP/1.1 103 Early Hints\r\nSet-Cookie: __Host-Http-session=new\r\n\r\n"))
        #expect(!text(hints, setCookie: nil, relay: { _ in "relayed=1" }).contains("Cookie"))
        let removed = text(head, setCookie: nil)
        #expect(!removed.contains("session") && removed.contains("Cache-Control: public"))
    }

    private func text(
        _ head: ResponseHead, setCookie: String?, relay: ((UnsafeRawBufferPointer) -> String?)? = nil
    ) -> String {
        var buffer = ByteBuffer()
        ClientResponse(
            head: head, setCookie: setCookie, cookies: OwnCookies(SessionCookie(), hasFlows: true), isOwn: false,
            relay: relay,
            isToHead: false, closes: false
        ).write(to: &buffer)
        return String(buffer: buffer)
    }
}
