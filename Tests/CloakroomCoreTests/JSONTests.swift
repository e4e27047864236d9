import Testing

@testable import CloakroomCore

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
