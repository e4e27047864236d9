import Testing

@testable import CloakroomResourceServer

@Suite struct EventStreamParserTests {
    @Test(
        "a stream is read the same wherever it is cut, and with every kind of line end",
        arguments: ["\n", "\r\n", "\r"])
    func everyCut(_ end: String) throws {
        let lines = [
            "retry: 1000", "", ": live", "event: revoked", "data: {}", "", "id: 1-2", "event:stale", "data:a",
            "data: b",
            "", "id: 3", "", "unknown: x", "data", ":", "data: c", "", "event: cut off", "data: d",
        ]
        let bytes = Array(lines.joined(separator: end).utf8)
        let expected: [EventStreamParser.Item] = [
            .comment, .event(name: "revoked", data: Array("{}".utf8), id: nil),
            .event(name: "stale", data: Array("a\nb".utf8), id: "1-2"), .comment,
            .event(name: "", data: Array("c".utf8), id: nil),
        ]
        for cut in 0...bytes.count {
            var parser = EventStreamParser()
            let items = try parser.read(bytes[..<cut]) + parser.read(bytes[cut...])
            #expect(items == expected, "cut at \(cut)")
        }
    }

    @Test("an event without end is refused", arguments: ["x", "data: x\n"])
    func endless(_ text: String) {
        var parser = EventStreamParser()
        #expect(throws: IssuerFailure.self) {
            for _ in 0..<70000 { _ = try parser.read(text.utf8) }
        }
    }
}
