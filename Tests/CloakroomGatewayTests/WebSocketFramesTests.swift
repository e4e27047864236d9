import Testing

@testable import CloakroomGateway

@Suite("The boundaries of WebSocket frames")
struct WebSocketFramesTests {
    private static let frames: [(name: String, bytes: [UInt8])] = [
        ("short", [0x81, 0x03] + Array("abc".utf8)),
        ("masked", [0x81, 0x83, 1, 2, 3, 4, 5, 6, 7]),
        ("empty", [0x89, 0x00]),
        ("two bytes of length", [0x82, 126, 1, 0] + [UInt8](repeating: 7, count: 256)),
        ("eight bytes of length", [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9]),
        ("masked with two bytes of length", [0x82, 254, 0, 2, 1, 2, 3, 4, 9, 9]),
    ]

    @Test("a frame ends where its header says, however it is cut into pieces", arguments: frames.indices)
    func boundary(_ index: Int) {
        let bytes = Self.frames[index].bytes
        for cut in 0..<bytes.count {
            var frames = WebSocketFrames()
            let first = Array(bytes[..<cut]).withUnsafeBytes { frames.follow($0) }
            #expect(first == cut)
            #expect(frames.isBetweenFrames == (cut == 0))
            let rest = Array(bytes[cut...]) + [0x81, 0x05, 1]
            let second = rest.withUnsafeBytes { frames.follow($0, stopsAfterFrame: cut > 0) }
            #expect(second == (cut == 0 ? rest.count : bytes.count - cut))
        }
    }

    @Test("a close frame is recognized when all of it has passed")
    func close() {
        let bytes = WebSocketFrames.close(1008, reason: "session_revoked", mask: [1, 2, 3, 4])
        var frames = WebSocketFrames()
        _ = Array(bytes.dropLast()).withUnsafeBytes { frames.follow($0) }
        #expect(!frames.isClosed)
        _ = Array(bytes.suffix(1)).withUnsafeBytes { frames.follow($0) }
        #expect(frames.isClosed)
    }

    @Test("a close frame carries code and reason, masked for a server alone")
    func closeBytes() {
        #expect(WebSocketFrames.close(1001, reason: "x") == [0x88, 3, 0x03, 0xE9, UInt8(ascii: "x")])
        #expect(WebSocketFrames.close(1001, reason: "", mask: [1, 2, 3, 4]) == [0x88, 0x82, 1, 2, 3, 4, 0x02, 0xEB])
    }
}
