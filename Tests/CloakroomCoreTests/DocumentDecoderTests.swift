import Foundation
import Testing

@testable import CloakroomCore

/// Compared with Foundation's decoder, on what its encoder writes.
@Suite struct DocumentDecoderTests {
    private struct Numbers: Codable, Hashable {
        var all = [Int.max, .min]
        var small = Int8.min
        var word = UInt64.max
        var real = 0.1
        var whole = Float(3)
    }

    private struct Everything: Codable, Hashable {
        enum Case: Codable, Hashable {
            case plain
            case with(text: String, _ number: Int?)
        }

        var text = "\u{1F600}\u{0} \"/\\é"
        var flag = false
        var present: String? = ""
        var missing: String?
        var numbers = Numbers()
        var cases = [Case.plain, .with(text: "a", nil), .with(text: "b", 7)]
        var names = ["a": 1, "ä": 2]
        var pairs = [Int?](arrayLiteral: 1, nil)
        var empty: [String: [String]] = [:]
        var nested = [[[true]], []]
    }

    private func matches<Value: Codable & Hashable>(_ value: Value) throws -> Bool {
        let bytes = try JSONEncoder().encode(value)
        return try DocumentDecoder.decode(Value.self, from: bytes) == value
    }

    @Test("a document of every kind of value is read as it was written")
    func values() throws {
        var numbers = Numbers()
        numbers.word = UInt64(Int64.max)
        #expect(try matches(numbers) && matches([1.5, -0.0, 1e300]) && matches("") && matches([String: Int]()))
        var everything = Everything()
        everything.numbers = numbers
        #expect(try matches(everything))
    }

    @Test("the details of a session, its claims and a code for another host are read as they were written")
    func documents() throws {
        let now = Instant(milliseconds: 1_800_000_000_123)
        var details = Session.Details(
            client: ClientID("browser"), login: "ann@example.com", remembered: true,
            userAgent: "Mozilla/5.0 (\u{1F600})", address: "2001:db8::1", evidence: .password(at: now),
            handedOver: HandedOver(
                parent: SessionID("p"), host: "shop.example.com:8443",
                point: HandOverPoint(generation: 3, epoch: 1, isProvisional: true)))
        #expect(try matches(details))
        details.evidence.add(Evidence(asserting: ["otp", "hwk"], level: .multiFactor, at: now))
        details.earlierEvidence = .password(at: .distantPast)
        details.earlierWindows = [Session.EarlierWindow(generation: 2, openedAt: now)]
        details.handOverEpoch = 0
        #expect(try matches(details))
        #expect(
            try matches(
                Claims([
                    "a": .list([.bool(true), .integer(-1), .number(0.5), .string("x"), .list([])]), "b": .bool(false),
                ])))
    }

    @Test(
        "what is no such value is refused",
        arguments: [
            "", "{", "{}", "[]", "7", "null", #"{"small":1}"#, #"{"all":[],"small":128,"word":1,"real":1,"whole":1}"#,
            #"{"all":[],"small":1,"word":-1,"real":1,"whole":1}"#,
            #"{"all":[],"small":"1","word":1,"real":1,"whole":1}"#,
            #"{"all":[1.5],"small":1,"word":1,"real":1,"whole":1}"#,
            #"{"all":{},"small":1,"word":1,"real":1,"whole":1}"#,
            #"{"all":[],"small":1,"word":1,"real":true,"whole":1}"#,
            #"{"all":[],"small":1,"word":1,"real":1,"whole":null}"#,
            #"{"all":[],"small":1,"small":1,"word":1,"real":1,"whole":1}"#,
        ])
    func refused(_ text: String) {
        #expect(throws: (any Error).self) { try DocumentDecoder.decode(Numbers.self, from: text.utf8) }
    }

    @Test("a document may be nested as deeply as claims are, and not without bound")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let fits = #"{"a":\#(nested(60))}"#
        #expect(try DocumentDecoder.decode(Claims.self, from: fits.utf8)["a"] != nil)
        #expect(throws: (any Error).self) {
            try DocumentDecoder.decode(Claims.self, from: #"{"a":\#(nested(5000))}"#.utf8)
        }
    }
}
