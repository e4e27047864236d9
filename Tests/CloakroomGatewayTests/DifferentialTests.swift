import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import CloakroomGateway

/// Compares the gateway's reading of a request with that of another decoder. Where both accept, they must agree about
/// method, target and the end of the body: in a difference a second request can hide (CVE-2026-2833 and its relatives).
@Suite("The gateway and another decoder")
struct DifferentialTests {
    private static let pieces = [
        "GET", "POST", "HEAD", " ", "  ", "/", "/a", "/b?c", "http://a/", "HTTP/1.1", "HTTP/1.0", "\r\n", "\n", "\r",
        "Host: a", "Host: b", "Content-Length: 3", "Content-Length: 0", "Content-Length:", "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip", "transfer-encoding:\tchunked ", "X: y", " X: y", "X : y", "X", ":",
        "Connection: close",
        "Connection: upgrade", "Upgrade: websocket", "Expect: 100-continue", "\0", "\u{B}", "\u{E9}", "abc",
        "3\r\nabc\r\n0\r\n\r\n",
        "0\r\n\r\n", "5;x\r\n", "GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    ]

    private static let methods: Set = ["GET", "POST", "HEAD"]

    @Test("what the gateway accepts, the other decoder reads as the same request", arguments: 0..<8)
    func agreement(_ seed: UInt64) throws {
        var random = Generator(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        var accepted = 0
        for _ in 0..<2500 {
            let bytes = Self.request(&random)
            // The other decoder knows a fixed list of methods; the gateway leaves that to the backend.
            guard let ours = Self.ours(bytes), Self.methods.contains(ours.method) else { continue }
            accepted += 1
            let other = Self.other(bytes)
            #expect(other == ours, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            if other != ours { return }
        }
        // Otherwise the inputs would be too wild to compare anything.
        #expect(accepted > 100)
    }

    private struct Reading: Hashable {
        var method: String
        var target: String
        /// nil while the body is incomplete.
        var body: [UInt8]?
    }

    private static func request(_ random: inout Generator) -> [UInt8] {
        var parts = ["POST", " ", "/a", " ", "HTTP/1.1", "\r\n", "Host: a", "\r\n"]
        let framings = ["Content-Length: 3", "Transfer-Encoding: chunked", "X: y"]
        let framing = framings[Int(random.next() % 3)]
        parts += [framing, "\r\n", "\r\n"]
        parts.append(framing == framings[1] ? "3\r\nabc\r\n0\r\n\r\n" : "abc")
        for _ in 0..<random.next() % 3 {
            let piece = pieces[Int(random.next() % UInt64(pieces.count))]
            let index = Int(random.next() % UInt64(parts.count))
            switch random.next() % 3 {
            case 0: parts.insert(piece, at: index)
            case 1: parts[index] = piece
            default: parts.remove(at: index)
            }
        }
        return Array(parts.joined().utf8)
    }

    private static func ours(_ bytes: [UInt8]) -> Reading? {
        var end = HeadEnd()
        let found = try? bytes.withUnsafeBytes { bytes throws(MalformedHead) in try end.find(in: bytes) }
        guard let length = found, let head = try? RequestHead(ByteBuffer(bytes: bytes[..<length])) else { return nil }
        var progress = BodyProgress(head.framing)
        var rest = ByteBuffer(bytes: bytes[length...])
        var body = Decoded(head.framing)
        guard let passed = try? progress.take(from: &rest) else { return nil }
        body.append(Array(buffer: passed))
        return Reading(
            method: head.method,
            target: head.target.authority.map { "http://\($0)\(head.target.text)" } ?? head.target.text,
            body: progress.isComplete ? body.content : nil)
    }

    private static func other(_ bytes: [UInt8]) -> Reading? {
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        guard case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        var body: [UInt8] = []
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .body(let piece): body += Array(buffer: piece)
            case .end: return Reading(method: head.method.rawValue, target: head.uri, body: body)
            case .head: return nil
            }
        }
        return Reading(method: head.method.rawValue, target: head.uri, body: nil)
    }
}

/// The content of a body that was passed on as it came.
private struct Decoded {
    private(set) var content: [UInt8] = []
    private let isChunked: Bool

    init(_ framing: Framing) {
        isChunked = framing == .chunked
    }

    mutating func append(_ bytes: [UInt8]) {
        guard isChunked else { return content += bytes }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\r")) {
            let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16) ?? 0
            guard size > 0, rest.count >= end - rest.startIndex + 2 + size else { return }
            content += rest[(end + 2)..<(end + 2 + size)]
            rest = rest[(end + 2 + size + 2)...]
        }
    }
}

/// SplitMix64, so that a failure can be repeated.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
