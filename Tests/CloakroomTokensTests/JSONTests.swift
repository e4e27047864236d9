import CloakroomCore
import Testing

@testable import CloakroomTokens

@Suite struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue {
        try JSONReader.read(Array(text.utf8))
    }

    static let values: [(String, JSONValue)] = [
        ("{}", .object([:])), ("[]", .array([])),
        (" [ 1 , -2 , 0 ] ", .array([.integer(1), .integer(-2), .integer(0)])),
        ("\"\"", .string("")), ("true", .bool(true)), ("false", .bool(false)), ("null", .null), ("1.5", .number(1.5)),
        ("1e2", .number(100)), ("-0", .integer(0)), ("1E+2", .number(100)), ("2.5e-1", .number(0.25)),
        (#"{"a":{"b":[{}]}}"#, .object(["a": .object(["b": .array([.object([:])])])])),
        (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
        (#""\u00e9\ud83d\ude00""#, .string("\u{E9}\u{1F600}")), ("9223372036854775807", .integer(.max)),
        ("\"\u{E9}\"", .string("\u{E9}")), (#""\u0000""#, .string("\u{0}")),
    ]

    @Test("valid JSON is parsed", arguments: values)
    func accepts(_ text: String, _ value: JSONValue) throws {
        #expect(try read(text) == value)
    }

    @Test(
        "JSON that is not strict is refused",
        arguments: [
            "", " ", "{", "}", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
            "{'a':1}",
            "{\"a\":1 \"b\":2}", "{1:2}", "tru", "True", "nul", "nan", "Infinity", "01", "-01", "1.", ".5", "1e", "1e+",
            "+1", "-", "0x10", "1 2", "{} x", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\n\"", "\"\t\"",
            #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800x""#, "\u{FEFF}{}", "// c\n1", "1e400", "-1e400",
            "9223372036854775808", #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"é":1,"\u00e9":2}"#,
        ])
    func refuses(_ text: String) {
        #expect(throws: JSONReader.Failure.self) { try read(text) }
    }

    @Test("two Unicode forms of one character are two names, as for other parsers")
    func normalization() throws {
        #expect(try read("{\"\u{E9}\":1,\"e\u{301}\":2}").objectValue?.members.count == 2)
    }

    @Test("a duplicate name is found among any number of members", arguments: [2, 15, 16, 17, 18, 40])
    func repeated(_ count: Int) throws {
        let names = (0..<count).map { "n\($0)" }
        let object = { (names: [String]) in "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}" }
        #expect(try read(object(names)).objectValue?.members.map(\.name) == names)
        for earlier in names.dropLast() {
            #expect(throws: JSONReader.Failure.self) { try read(object(names.dropLast() + [earlier])) }
        }
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0x80, 0x22],
            [0x7B, 0x00, 0x7D, 0x00], [0xFF, 0xFE, 0x7B, 0x00],
        ] as [[UInt8]])
    func encoding(_ bytes: [UInt8]) {
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(bytes) }
    }

    @Test("depth is bounded, and many brackets are refused early", arguments: [9, 500, 100_000])
    func depth(_ depth: Int) {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            #expect(throws: JSONReader.Failure.self) { try read(text) }
            #expect(throws: JSONReader.Failure.self) { try read(String(repeating: open, count: depth)) }
        }
    }

    @Test("eight levels are allowed")
    func allowedDepth() throws {
        _ = try read(String(repeating: "[", count: 8) + "1" + String(repeating: "]", count: 8))
    }

    @Test("a number of ten thousand digits is refused")
    func longNumber() {
        #expect(throws: JSONReader.Failure.self) { try read(String(repeating: "9", count: 10_000)) }
        #expect(throws: JSONReader.Failure.self) { try read("0." + String(repeating: "9", count: 10_000)) }
    }
}

@Suite struct JSONWriterTests {
    @Test(
        "a written value parses as the same value",
        arguments: [
            ["a": [1, true, .null, .number(1.5), "x\"\\/\u{0}\u{7F}\u{1F600}"], "b": [:], "c": []], "plain",
            .integer(.min),
        ] as [JSONValue])
    func roundTrip(_ value: JSONValue) throws {
        #expect(try JSONReader.read(value.serialized) == value)
    }

    @Test("members keep their order, and setting a member again replaces it")
    func order() {
        var object: JSONObject = ["z": 1, "a": 2]
        object["z"] = 3
        #expect(String(decoding: JSONValue.object(object).serialized, as: UTF8.self) == #"{"a":2,"z":3}"#)
        object["a"] = nil
        #expect(object == ["z": 3])
        #expect(Set([object]).contains(["z": 3]))
    }

    @Test("a value converts to its own type only")
    func accessors() {
        #expect(JSONValue.string("a").integerValue == nil && JSONValue.integer(1).stringValue == nil)
        #expect(JSONValue.bool(true).boolValue == true && JSONValue.null.boolValue == nil)
        #expect(JSONValue.array([]).objectValue == nil && JSONValue.object([:]).arrayValue == nil)
        #expect(JSONValue.number(.infinity).serialized == Array("null".utf8))
    }
}

@Suite struct Base64URLTests {
    @Test(
        "the RFC's test vectors, without padding",
        arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")])
    func vectors(_ text: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(text.utf8))
    }

    @Test("every byte survives a round trip in the URL-safe alphabet")
    func allBytes() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
    }

    @Test(
        "a second encoding of the same bytes is refused",
        arguments: ["Zg==", "Zg=", "Zh", "Zm9", "Z", "Zm9vY", " Zg", "Zg\n", "-_9", "+/8", "Z.g", "Zg%3D", "\u{FF3A}g"])
    func refuses(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}

@Suite struct ISO8601Tests {
    @Test(
        "RFC 3339 times are written and parsed",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_472_305_999, "2026-11-23T22:18:25Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"), (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (-1000, "1969-12-31T23:59:59Z"), (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ])
    func times(_ milliseconds: Int64, _ text: String) {
        #expect(Instant(milliseconds: milliseconds).iso8601 == text)
        let read = Instant(iso8601: text)
        #expect(read?.seconds == Instant(milliseconds: milliseconds).seconds)
    }

    @Test(
        "an offset and fractions of a second are parsed",
        arguments: [
            ("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z"),
            ("2026-01-01T00:00:00-05:30", "2026-01-01T05:30:00Z"),
            ("2026-01-01T00:00:00.9Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.123456+00:00", "2026-01-01T00:00:00Z"),
        ])
    func offsets(_ text: String, _ utc: String) {
        #expect(Instant(iso8601: text)?.iso8601 == utc)
    }

    @Test("a date without a time is midnight in UTC")
    func date() {
        #expect(Instant(iso8601: "2026-11-23")?.iso8601 == "2026-11-23T00:00:00Z")
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "2026", "2026-11", "2026-13-01", "2026-02-30", "2026-2-3", "2026-11-23T", "2026-11-23T10:00:00",
            "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z", "2026-11-23T10:00Z", "x", "2026-11-23T10:00:00+1:00",
            "2026-11-23T10:00:00+24:00", "2026-11-23T10:00:00+0100", "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00.1",
            "20a6-11-23", "2026-11-23TZ",
        ])
    func refuses(_ text: String) {
        #expect(Instant(iso8601: text) == nil)
    }
}
