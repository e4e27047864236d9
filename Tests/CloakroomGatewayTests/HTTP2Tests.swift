import NIOCore
import NIOHPACK
import Testing

@testable import CloakroomGateway

@Suite("Requests and responses of HTTP/2")
struct HTTP2Tests {
    private static let get = [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/x?y")]

    @Test("a request is the same one in HTTP/1.1, with its cookies in one header")
    func request() throws {
        let headers = Self.get + [("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2"), ("te", "trailers")]
        #expect(
            try text(headers, endsStream: true) == """
                GET /x?y HTTP/1.1\r
                Host: a.example\r
                Cookie: a=1; b=2\r
                accept: */*\r
                \r

                """)
    }

    @Test("a body without a length is sent in chunks")
    func body() throws {
        let post = [(":method", "POST")] + Self.get.dropFirst()
        #expect(try text(post, endsStream: false).contains("\r\nTransfer-Encoding: chunked\r\n"))
        #expect(try !text(post + [("content-length", "3")], endsStream: false).contains("chunked"))
        #expect(try !text(post, endsStream: true).contains("chunked"))
    }

    @Test(
        "what would be another request in HTTP/1.1 is refused",
        arguments: [
            [("x", "a\r\nHost: b")], [("x", "a\nb")], [("x", "a\0b")], [("x y", "a")], [("x:", "a")], [("X", "a")],
            [("connection", "x")], [("transfer-encoding", "chunked")], [("upgrade", "websocket")],
            [("host", "b.example")], [("host", "b.example"), ("host", "a.example")],
            [("keep-alive", "1")], [("proxy-connection", "x")], [("", "a")],
        ])
    func refused(_ more: [(String, String)]) {
        #expect(throws: HTTP2Request.Malformed.self) { try text(Self.get + more, endsStream: true) }
    }

    @Test(
        "a pseudo-header that would break the request line is refused",
        arguments: [
            (":path", "/ HTTP/1.1\r\nX: y"), (":path", "/a b"), (":path", ""), (":method", "GET /"),
            (":method", "G\r\nT"),
            (":authority", "a\r\nX: y"),
        ])
    func pseudo(_ name: String, _ value: String) {
        let headers = Self.get.filter { $0.0 != name } + [(name, value)]
        #expect(throws: HTTP2Request.Malformed.self) { try text(headers, endsStream: true) }
    }

    @Test("a request without method, path or authority is refused", arguments: [":method", ":path", ":authority"])
    func missing(_ name: String) {
        let headers = Self.get.filter { $0.0 != name }
        #expect(throws: HTTP2Request.Malformed.self) { try text(headers, endsStream: true) }
    }

    @Test(
        "a response is read the same wherever it is cut",
        arguments: [
            (
                "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", false,
                "[200 x=y content-length=3]abc."
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
                false,
                "[200]ab0123456789."
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", false, "[200]ab"),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, "[204]."),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false, "[100][204]."),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, "[200 content-length=3]."),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "[200 content-length=0]."),
        ])
    func response(_ text: String, _ isToHead: Bool, _ expected: String) throws {
        let bytes = Array(text.utf8)
        for cut in 1...bytes.count {
            var response = HTTP2Response(isToHead: isToHead)
            var parts = try response.read(ByteBuffer(bytes: bytes[..<cut]))
            if cut < bytes.count { parts += try response.read(ByteBuffer(bytes: bytes[cut...])) }
            #expect(parts.map(Self.describe).joined() == expected, "\(cut)")
        }
    }

    private static func describe(_ part: HTTP2Response.Part) -> String {
        switch part {
        case .head(let headers, let endsStream):
            "[" + headers.map { $0.name == ":status" ? $0.value : " \($0.name)=\($0.value)" }.joined() + "]"
                + (endsStream ? "." : "")
        case .data(let bytes): String(buffer: bytes)
        case .end: "."
        }
    }

    private func text(_ headers: [(String, String)], endsStream: Bool) throws -> String {
        String(buffer: try HTTP2Request(HPACKHeaders(headers), endsStream: endsStream).head)
    }
}
