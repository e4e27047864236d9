import NIOCore
import Testing

@testable import CloakroomGateway

@Suite("Chunked bodies")
struct ChunkedBodyTests {
    @Test(
        "what is not exactly chunked is refused, at whatever place it is cut",
        arguments: [
            "5;x=y\r\nhello\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhello\n", "5\r\nhelloX",
            "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\n\n", "0x5\r\nhello\r\n", "\r\n", "-1\r\n", "+5\r\n", "5\rX",
            "g\r\n", "FFFFFFFFFFFFFFFF\r\n", "0000000000000005\r\n", "0\r\nX: a\nY: b\r\n\r\n", "0\r\nX: \0\r\n\r\n",
            "0\r\nContent-Length: 5\r\n\r\n", "0\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n",
            "0\r\nConnection: close\r\n\r\n", "0\r\nUpgrade: x\r\n\r\n", "0\r\nHost: b\r\n\r\n",
            "0\r\nX: \(String(repeating: "a", count: 9000))\r\n\r\n",
        ])
    func refused(_ text: String) {
        let bytes = Array(text.utf8)
        for cut in 0...min(bytes.count, 64) {
            var body = ChunkedBody()
            #expect(throws: ChunkedBody.Malformed.self, "\(cut)") {
                _ = try Array(bytes[..<cut]).withUnsafeBytes { bytes throws(ChunkedBody.Malformed) in
                    try body.follow(bytes)
                }
                _ = try Array(bytes[cut...]).withUnsafeBytes { bytes throws(ChunkedBody.Malformed) in
                    try body.follow(bytes)
                }
            }
        }
    }

    @Test(
        "an extension that parsers could end in different places is refused",
        arguments: [
            ";", ";=b", ";a=", ";a;", ";a b", "; a", ";a =b", ";a=b c", ";a=\"b", ";a=\"b\"c", ";a=\"b\\\"", ";a=\u{1}",
            ";a=b=c", ";a=\(String(repeating: "b", count: 2000))",
        ])
    func refusedExtensions(_ text: String) {
        let bytes = Array("2\(text)\r\nok\r\n".utf8)
        var body = ChunkedBody(allowsExtensions: true)
        #expect(throws: ChunkedBody.Malformed.self) {
            _ = try bytes.withUnsafeBytes { bytes throws(ChunkedBody.Malformed) in try body.follow(bytes) }
        }
    }

    @Test("extensions pass in the body of a response alone, and change nothing")
    func extensions() throws {
        let bytes = Array("2;ext=1;x\r\nok\r\n0;a=\"b;\\\"\"\r\n\r\n".utf8)
        var body = ChunkedBody(allowsExtensions: true)
        let step = try bytes.withUnsafeBytes { bytes throws(ChunkedBody.Malformed) in try body.follow(bytes) }
        #expect(step.passed == bytes.count - 2 && step.endsHere)
        var content = ChunkContent()
        var buffer = ByteBuffer(bytes: bytes)
        #expect(try content.read(&buffer).map { String(buffer: $0) } == ["ok"])
        #expect(content.isComplete)
    }

    @Test(
        "a body is passed on as it came, without its trailers, at whatever place it is cut",
        arguments: [
            ("0\r\n\r\n", "0\r\n\r\n"), ("5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            ("A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", "A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n"),
            ("1\r\n\n\r\n0\r\nX-Auth-Subject: evil\r\nY: z\r\n\r\n", "1\r\n\n\r\n0\r\n\r\n"),
            ("000a\r\n\r\n\r\n\r\n\r\n\r\n\r\n00\r\n\r\n", "000a\r\n\r\n\r\n\r\n\r\n\r\n\r\n00\r\n\r\n"),
        ])
    func passed(_ text: String, _ expected: String) throws {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var body = ChunkedBody()
            var out: [UInt8] = []
            var consumed = 0
            for piece in [Array(bytes[..<cut]), Array(bytes[cut...]) + Array("GET".utf8)] {
                let step = try piece.withUnsafeBytes { bytes throws(ChunkedBody.Malformed) in try body.follow(bytes) }
                out += piece.prefix(step.passed)
                if step.endsHere, step.consumed > 0 { out += Array("\r\n".utf8) }
                consumed += step.consumed
            }
            #expect(String(decoding: out, as: UTF8.self) == expected, "\(cut)")
            #expect(consumed == bytes.count)
            #expect(body.isComplete)
        }
    }
}
