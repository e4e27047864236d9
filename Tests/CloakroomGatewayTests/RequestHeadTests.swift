import CloakroomMiddleware
import NIOCore
import Testing

@testable import CloakroomGateway

@Suite("Heads of requests")
struct RequestHeadTests {
    /// Inputs that two servers have read in different ways, each with the refusal that it gets (RFC 9112; the advisories
    /// stand beside the rules in the source).
    static let refused: [(name: String, head: String, status: Int)] = [
        ("Content-Length and Transfer-Encoding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400),
        ("two lengths that differ", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
        ("two lengths that agree", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400),
        ("a list of lengths", post("Content-Length: 5, 5\r\n"), 400),
        ("a length with a sign", post("Content-Length: +5\r\n"), 400),
        ("a negative length", post("Content-Length: -1\r\n"), 400),
        ("a hexadecimal length", post("Content-Length: 0x5\r\n"), 400),
        ("an empty length", post("Content-Length:\r\n"), 400),
        ("a length beyond 64 bits", post("Content-Length: 18446744073709551621\r\n"), 400),
        ("a tab behind a length", post("Content-Length: 5\t\r\n"), 400),
        ("a tab behind a coding", post("Transfer-Encoding: chunked \t\r\n"), 501),
        ("an unknown coding", post("Transfer-Encoding: xchunked\r\n"), 501),
        ("identity", post("Transfer-Encoding: identity\r\n"), 501),
        ("chunked twice in a line", post("Transfer-Encoding: chunked, chunked\r\n"), 501),
        ("chunked in two lines", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 501),
        ("gzip before chunked", post("Transfer-Encoding: gzip, chunked\r\n"), 501),
        ("chunked with a vertical tab", post("Transfer-Encoding: \u{B}chunked\r\n"), 400),
        ("HTTP/1.0 with chunked", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 505),
        ("HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 505),
        ("HTTP/1.0 health check with a body", "GET /healthz HTTP/1.0\r\nContent-Length: 1\r\n\r\n", 505),
        ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
        ("no version", "GET /\r\nHost: a\r\n\r\n", 400),
        ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        ("a bare LF behind a header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
        ("a bare CR in a value", get("X: a\rb\r\n"), 400),
        ("NUL in a value", get("X: a\0b\r\n"), 400),
        ("a folded line", get("X: a\r\n b\r\n"), 400),
        ("a space before the colon", get("X : a\r\n"), 400),
        ("a space in a name", get("X Y: a\r\n"), 400),
        ("no name", get(": a\r\n"), 400),
        ("no colon", get("nothing\r\n"), 400),
        ("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
        ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        ("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("a target without authority", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a target with a user", "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a target with a backslash", "GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a target with a fragment", "GET http://a#@b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a method in lower case", "post / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a method in mixed case", "Post / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("trace", "trace / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("Connection names Authorization", get("Connection: close, Authorization\r\n"), 400),
        ("Connection names X-Auth-Subject", get("Connection: X-Auth-Subject\r\n"), 400),
        ("Proxy-Connection names Authorization", get("Proxy-Connection: Authorization\r\n"), 400),
        ("an expectation", post("Content-Length: 1\r\nExpect: the-unexpected\r\n"), 417),
        ("a target over 8 KiB", "GET /\(String(repeating: "a", count: 8192)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("over 100 headers", get(String(repeating: "X: y\r\n", count: 100)), 431),
    ]

    private static func get(_ lines: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n" }
    private static func post(_ lines: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n" }

    @Test("an ambiguous head is refused", arguments: refused.indices)
    func refusals(_ index: Int) {
        let row = Self.refused[index]
        #expect(throws: RequestFault.self, "\(row.name)") { try read(row.head) }
        do { _ = try read(row.head) } catch {
            #expect(error.denial.problem.bytes.status == row.status, "\(row.name): \(error)")
        }
    }

    @Test("a head is read the same however it is cut", arguments: refused.indices)
    func cuts(_ index: Int) {
        let bytes = Array(Self.refused[index].head.utf8)
        let whole = result(bytes, cut: bytes.count)
        for cut in 1..<min(bytes.count, 200) { #expect(result(bytes, cut: cut) == whole) }
    }

    @Test("what browsers and clients send is accepted")
    func accepted() throws {
        let head = try read(
            """
            POST /a%20b/c?x=[1]|{2} HTTP/1.1\r
            host: example.com:8443\r
            Connection: keep-alive, TE\r
            TE: trailers\r
            Transfer-Encoding: Chunked\r
            Expect: 100-continue\r
            X-Empty:\r
            X-Latin: \u{E9}\t!\r
            Cookie: a=b\r
            \r

            """)
        #expect(head.method == "POST")
        #expect(head.target.path == "/a%20b/c")
        #expect(head.target.decodedPath == "/a b/c")
        #expect(head.target.query == "?x=[1]|{2}")
        #expect(head.host == "example.com:8443")
        #expect(head.framing == .chunked)
        #expect(head.keepsConnection && !head.offersUpgrade)
    }

    @Test("Proxy-Connection ends the connection as Connection does", arguments: ["Connection", "Proxy-Connection"])
    func close(_ name: String) throws {
        #expect(try !read("GET / HTTP/1.1\r\nHost: a\r\n\(name): close\r\n\r\n").keepsConnection)
    }

    @Test("the authority of a target counts, not the Host header")
    func absoluteForm() throws {
        let head = try read("GET http://b.example/x?y HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.host == "b.example")
        #expect(head.target.text == "/x?y")
        #expect(try read("GET http://b.example HTTP/1.1\r\nHost: a\r\n\r\n").target.text == "/")
    }

    @Test(
        "an upgrade is a WebSocket's only where the request is a whole handshake",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n", false),
        ])
    func upgrades(_ text: String, _ isWebSocket: Bool) throws {
        let head = try read(text)
        #expect(head.asksForWebSocket == isWebSocket)
        #expect(head.offersUpgrade)
    }

    private func read(_ text: String) throws(RequestFault) -> RequestHead {
        let bytes = Array(text.utf8)
        switch result(bytes, cut: bytes.count) {
        case .success(let target): _ = target
        case .failure(let fault): throw fault
        }
        return try RequestHead(ByteBuffer(bytes: bytes))
    }

    /// Reads a head that arrives in two pieces.
    private func result(_ bytes: [UInt8], cut: Int) -> Result<RequestTarget, RequestFault> {
        var end = HeadEnd()
        for count in [cut, bytes.count] {
            do {
                let length = try Array(bytes[..<count]).withUnsafeBytes { bytes throws(MalformedHead) in
                    try end.find(in: bytes)
                }
                guard let length else { continue }
                return Result { () throws(RequestFault) in
                    try RequestHead(ByteBuffer(bytes: bytes[..<length])).target
                }
            } catch {
                return .failure(.malformed("the head does not follow the grammar of HTTP/1.1"))
            }
        }
        return .failure(.malformed("incomplete"))
    }
}
