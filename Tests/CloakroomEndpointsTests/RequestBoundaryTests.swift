import Testing

@testable import CloakroomEndpoints

/// A stream of bytes is cut so that no piece contains the end of one request and the beginning of the next.
@Suite struct RequestBoundaryTests {
    static let streams: [[String]] = [
        ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], ["GET / HTTP/1.1\nHost: a\n\n"], ["\r\n", "\n", "GET /"],
        ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n"], ["a\r\n\r\n", "\r\n", "b\r\n\n", "c"],
        ["a\rb\r\nc\r\n"],
    ]

    /// The pieces of a text that arrives in segments of this length.
    private func pieces(of text: String, segment: Int, _ boundary: RequestBoundary = .init()) -> [String] {
        var (boundary, pieces, rest) = (boundary, [""], Array(text.utf8))
        while !rest.isEmpty {
            let received = Array(rest.prefix(segment))
            rest.removeFirst(received.count)
            var start = 0
            while start < received.count {
                let length = received.withUnsafeBytes { boundary.lengthOfPiece(of: .init(rebasing: $0[start...])) }
                pieces[pieces.count - 1] += String(decoding: received[start..<start + length], as: UTF8.self)
                start += length
                if start < received.count { pieces.append("") }
            }
        }
        return pieces
    }

    @Test("a request begins after the empty line of the one before, for every split of the bytes", arguments: streams)
    func emptyLines(_ expected: [String]) {
        let text = expected.joined()
        #expect(pieces(of: text, segment: text.utf8.count) == expected)
        // For segments of any length, each piece that contains the end of a request ends there.
        for segment in 1..<text.utf8.count {
            var boundary = RequestBoundary()
            var (ends, position) = (Set<Int>(), 0)
            while position < text.utf8.count {
                let received = Array(text.utf8.dropFirst(position).prefix(segment))
                position += received.withUnsafeBytes { boundary.lengthOfPiece(of: $0) }
                ends.insert(position)
            }
            var end = 0
            for piece in expected {
                end += piece.utf8.count
                #expect(ends.contains(end), "\(segment)")
            }
        }
    }

    @Test("a body ends at its Content-Length, with any content")
    func bodies() {
        var boundary = RequestBoundary()
        boundary.expectBody(of: 6)
        #expect(
            pieces(of: "\n\n\r\n\r\nGET /\r\n\r\nGET", segment: 100, boundary) == [
                "\n\n\r\n\r\n", "GET /\r\n\r\n", "GET",
            ])
        #expect(pieces(of: "abcdefGET", segment: 100, boundary) == ["abcdef", "GET"])
    }
}
