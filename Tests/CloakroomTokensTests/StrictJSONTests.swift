import Foundation
import Testing

@testable import CloakroomCore

/// The reader against the RFC's grammar, against Foundation's reader, and against the writer.
@Suite struct StrictJSONTests {
    private static func read(_ bytes: some Sequence<UInt8>) -> JSONValue? {
        try? JSONReader.read(Array(bytes))
    }

    private static func read(_ text: String) -> JSONValue? {
        read(text.utf8)
    }

    @Test("each control character must be escaped")
    func controlCharacters() {
        for byte in UInt8(0)..<0x20 {
            #expect(Self.read([0x22, byte, 0x22]) == nil)
            let digits = String(byte, radix: 16)
            let escaped = "\"\\u" + String(repeating: "0", count: 4 - digits.count) + digits + "\""
            #expect(Self.read(escaped) == .string(String(UnicodeScalar(byte))))
            let isWhiteSpace = [0x20, 0x09, 0x0A, 0x0D].contains(byte)
            #expect(
                (Self.read([byte, 0x31]) != nil) == isWhiteSpace && (Self.read([0x31, byte]) != nil) == isWhiteSpace)
            #expect((Self.read([0x5B, byte, 0x5D]) != nil) == isWhiteSpace)
        }
        #expect(Self.read([0x22, 0x7F, 0x22]) == .string("\u{7F}"), "DEL is none in JSON")
    }

    @Test(
        "white space of Unicode beyond JSON's four characters is refused",
        arguments: ["\u{B}", "\u{C}", "\u{A0}", "\u{85}", "\u{2028}", "\u{3000}", "\u{FEFF}", "\u{200B}"])
    func whiteSpace(_ space: String) {
        for text in [space + "1", "1" + space, "[" + space + "]", "{" + space + "}", "{\"a\"" + space + ":1}"] {
            #expect(Self.read(text) == nil)
        }
        #expect(Self.read("\"\(space)\"") == (space.utf8.first.map { $0 < 0x20 } == true ? nil : .string(space)))
    }

    @Test("exactly the nine escapes of JSON are accepted")
    func escapes() {
        for byte in UInt8(0x20)...0x7E {
            let isKnown = "\"\\/bfnrt".utf8.contains(byte)
            #expect((Self.read([0x22, 0x5C, byte, 0x22]) != nil) == isKnown, "\\\(UnicodeScalar(byte))")
        }
        for bad in [
            #""\u""#, #""\u1""#, #""\u12""#, #""\u123""#, #""\u123G""#, #""\u 123""#, #""\u+123""#, #""\u-123""#,
            #""\U0041""#, #""\x41""#, "\"\\u\u{FF11}234\"", #""\u{41}""#,
        ] {
            #expect(Self.read(bad) == nil, "\(bad)")
        }
        #expect(Self.read(#""\u00E9\u00e9""#) == .string("\u{E9}\u{E9}"))
    }

    @Test(
        "a surrogate that is alone, reversed, cut or followed by anything else is refused",
        arguments: [
            #""\ud800""#, #""\udbff""#, #""\udc00""#, #""\udfff""#, #""\udc00\ud800""#, #""\ud800\ud800""#,
            #""\udfff\udfff""#,
            #""\ud800\u0061""#, #""\ud800a""#, #""\ud800\n""#, #""\ud800\""#, #""\ud800\u""#, #""\ud800\udc0""#,
            #""\ud800 \udc00""#,
            #""a\ud83d""#, #"{"\ud800":1}"#,
        ])
    func surrogates(_ text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test("surrogate pairs are decoded over their whole range")
    func pairs() {
        for (text, scalar) in [
            (#""\ud800\udc00""#, "\u{10000}"), (#""\udbff\udfff""#, "\u{10FFFF}"), (#""\uD83D\uDe00""#, "\u{1F600}"),
            (#""\uffff\ufffe""#, "\u{FFFF}\u{FFFE}"), (#""\ud7ff\ue000""#, "\u{D7FF}\u{E000}"),
        ] { #expect(Self.read(text) == .string(scalar)) }
    }

    static let notUTF8: [[UInt8]] = [
        // Overlong: a slash in two, three and four bytes; the least that three and four bytes must hold, less one.
        [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xF0, 0x80, 0x80, 0xAF], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF],
        [0xF0, 0x8F, 0xBF, 0xBF],
        // NUL in two bytes; surrogates (CESU-8); past the last character; five and six bytes.
        [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
        [0xF4, 0x90, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        // Cut, or continued without a beginning; Latin-1.
        [0x80], [0xBF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x28], [0xE2, 0x28, 0xA1], [0xE9],
        [0xE9, 0x20],
    ]

    @Test("bytes that are not UTF-8 are refused in values, in names and between them", arguments: notUTF8)
    func encoding(_ bytes: [UInt8]) {
        #expect(Self.read([0x22] + bytes + [0x22]) == nil)
        #expect(Self.read(Array("{\"a".utf8) + bytes + Array("\":1}".utf8)) == nil)
        #expect(Self.read(Array("[1".utf8) + bytes + Array("]".utf8)) == nil)
        #expect(Self.read(Array("1 ".utf8) + bytes) == nil && Self.read(bytes + Array("1".utf8)) == nil)
    }

    @Test("UTF-16 and UTF-32 are refused, with and without a byte order mark")
    func otherEncodings() throws {
        for encoding in [
            String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .utf32LittleEndian, .utf32BigEndian,
        ] {
            for text in ["{}", "1", "\"a\"", "[1,2]"] {
                #expect(Self.read(try #require(text.data(using: encoding))) == nil)
            }
        }
        #expect(Self.read([0xEF, 0xBB, 0xBF] + "{}".utf8) == nil)
    }

    static let literals: [(String, JSONValue?)] = [
        ("0", 0), ("-0", 0), ("-1", -1), ("10", 10), ("0.0", .number(0)), ("-0.0", .number(-0.0)), ("1e0", .number(1)),
        ("1E5", .number(1e5)), ("1e+05", .number(1e5)), ("1.5e-3", .number(0.0015)), ("1e308", .number(1e308)),
        ("1e300", .number(1e300)), ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-400", .number(0)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9007199254740993", .integer(9_007_199_254_740_993)), ("9223372036854775808", nil),
        ("-9223372036854775809", nil),
        ("18446744073709551616", nil), ("1e309", nil), ("1e400", nil), ("-1e400", nil), ("1e999999999999", nil),
        ("00", nil),
        ("01", nil), ("-00", nil), ("-01", nil), ("007", nil), ("00.5", nil), ("1.", nil), (".1", nil), ("-.1", nil),
        ("1.e1", nil),
        ("1e", nil), ("1e+", nil), ("1e-", nil), ("1e1.5", nil), ("1ee1", nil), ("--1", nil), ("+1", nil), ("- 1", nil),
        ("-", nil),
        ("1-", nil), ("1_000", nil), ("0x1", nil), ("0b1", nil), ("1n", nil), ("1f", nil), ("NaN", nil), ("-NaN", nil),
        ("Infinity", nil), ("-Infinity", nil), ("inf", nil), ("\u{661}", nil), ("\u{FF11}", nil), ("1 2", nil),
        ("1,2", nil),
    ]

    @Test("a number follows the grammar and fits 64 bits", arguments: literals)
    func number(_ text: String, _ value: JSONValue?) {
        #expect(Self.read(text) == value)
        #expect((Self.read("[\(text)]") != nil) == (value != nil || text == "1,2"))
    }

    @Test("long numbers are refused before they are computed", .timeLimit(.minutes(2)))
    func longNumbers() {
        let nines = String(repeating: "9", count: 10_000)
        let zeros = String(repeating: "0", count: 10_000)
        for text in [
            nines, "-" + nines, "0." + nines, "1." + zeros, "1e" + nines, "1e-" + nines, "0e" + zeros, "1" + zeros,
            "1e" + zeros + "1",
        ] { #expect(Self.read(text) == nil) }
    }

    @Test(
        "text after the value is refused",
        arguments: [
            "x", "1", "{}", "[]", "\"\"", ",", "}", "]", "\u{0}", "//", "/**/", "#", "null", "\u{FEFF}", "\u{1A}", ";",
            ".a.b",
        ])
    func trailing(_ text: String) {
        for value in ["{}", "[1]", "\"a\"", "true", "null"] {
            #expect(
                Self.read(value + text) == nil && Self.read(value + " " + text) == nil
                    && Self.read(value + "\n" + text) == nil)
        }
    }

    @Test("duplicate names are refused at every level, also if written with escapes")
    func duplicates() {
        for text in [
            #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"a":3}"#, #"{"a":1,"\u0061":1}"#, #"{"\u0061":1,"\u0061":1}"#,
            #"{"":1,"":2}"#,
            #"{"x":{"a":1,"a":2}}"#, #"[{"a":1},{"a":1,"a":2}]"#, #"{"a\/b":1,"a/b":2}"#, #"{"\n":1,"\u000a":2}"#,
            #"{"\u00e9":1,"\u00E9":2}"#, #"{"\ud83d\ude00":1,"\#("\u{1F600}")":2}"#, #"{"exp":1,"e\u0078p":9}"#,
        ] { #expect(Self.read(text) == nil, "\(text)") }
        for text in [#"{"a":1,"A":2}"#, #"{"a":{"a":{"a":1}}}"#, #"[{"a":1},{"a":2}]"#, #"{"a":1,"a ":2,"a\u0000":3}"#]
        {
            #expect(Self.read(text) != nil, "\(text)")
        }
    }

    @Test("eight levels of arrays or objects are accepted, ten are not", arguments: ["[", "{\"a\":"])
    func depth(_ open: String) {
        let close = open == "[" ? "]" : "}"
        for depth in 1...12 {
            let text = String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)
            #expect((Self.read(text) != nil) == (depth <= 8), "\(depth)")
        }
        #expect(Self.read(String(repeating: "[", count: 10) + String(repeating: "]", count: 10)) == nil)
        let wide = "[" + [String](repeating: "[]", count: 10_000).joined(separator: ",") + "]"
        #expect(Self.read(wide) != nil, "the limit is on depth, not on the number of values")
    }

    // A parser without a limit on depth overflows its stack; one that searches all open levels takes quadratic time.
    @Test("deeply nested input is refused at once", .timeLimit(.minutes(2)), arguments: [500, 100_000, 1_000_000])
    func bombs(_ count: Int) {
        for piece in ["[", "{\"a\":", "[{\"a\":", "{\"a\":["] {
            #expect(Self.read(String(repeating: piece, count: count)) == nil)
        }
    }

    @Test("every mutant that this parser accepts, Foundation parses to the same value")
    func foundationAgrees() throws {
        let document =
            #"{"iss":"https://a.example/é","n":[0,-1,1.5,1e2,true,false,null,"\u00e9\ud83d\ude00\"\\\/"],"o":{"a":{},"b":[]}}"#
        let known = Array(document.utf8)
        var accepted = 0
        for mutant in Mutants(of: known, count: 20_000) {
            guard let value = Self.read(mutant) else { continue }
            accepted += 1
            let other = try? JSONSerialization.jsonObject(with: Data(mutant), options: .fragmentsAllowed)
            #expect(other.map { Self.matches(value, $0) } == true, "\(String(decoding: mutant, as: UTF8.self))")
        }
        #expect(accepted > 500, "enough mutants must be accepted for a comparison")
    }

    /// Whether Foundation read the same: kinds, names, strings to the scalar, whole numbers exactly.
    private static func matches(_ value: JSONValue, _ other: Any) -> Bool {
        switch value {
        case .object(let object):
            guard let other = other as? [String: Any], other.count == object.members.count else { return false }
            return object.members.allSatisfy { member in other[member.name].map { matches(member.value, $0) } == true }
        case .array(let array):
            guard let other = other as? [Any], other.count == array.count else { return false }
            return zip(array, other).allSatisfy { matches($0, $1) }
        case .string(let string): return (other as? String).map { Array($0.utf8) == Array(string.utf8) } == true
        case .integer(let number): return (other as? NSNumber)?.int64Value == number
        case .number(let number):
            // Foundation on Linux converts through Decimal, and the last digit may differ.
            guard let other = (other as? NSNumber)?.doubleValue else { return false }
            return abs(other - number) <= 1e-12 * abs(number)
        case .bool(let bool): return (other as? NSNumber)?.boolValue == bool
        case .null: return other is NSNull
        }
    }

    @Test("written JSON parses to the same value here and in Foundation, and is always the same bytes")
    func roundTrip() throws {
        var random = SeededRandom(seed: 1)
        for _ in 0..<2000 {
            let value = Self.value(&random, depth: 0)
            let bytes = value.serialized
            #expect(bytes == value.serialized)
            let read = try #require(try? JSONReader.read(bytes), "\(String(decoding: bytes, as: UTF8.self))")
            #expect(read.serialized == bytes)
            let other = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(Self.matches(value, other), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    private static func value(_ random: inout SeededRandom, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth < 7 ? 8 : 6), using: &random) {
        case 0: return .string(string(&random))
        case 1: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 2: return .integer(Int64.random(in: -9...9, using: &random))
        case 3: return .number(Double.random(in: -1e9...1e9, using: &random))
        case 4: return .bool(Bool.random(using: &random))
        case 5: return .null
        case 6: return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(&random, depth: depth + 1) })
        default:
            var object = JSONObject()
            for number in 0..<Int.random(in: 0..<4, using: &random) {
                object["\(number)" + string(&random)] = value(&random, depth: depth + 1)
            }
            return .object(object)
        }
    }

    private static func string(_ random: inout SeededRandom) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<8, using: &random) {
            let range: ClosedRange<UInt32> =
                [0...0x7F, 0x20...0x7E, 0x80...0xD7FF, 0xE000...0x10FFFF].randomElement(using: &random) ?? 0...1
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
        }
        return String(text)
    }

    @Test(
        "every written number can be parsed",
        arguments: [
            0, -0.0, 1, 1e15, 1e16, 1e300, .leastNonzeroMagnitude, 0.1, 1_800_000_000.123, -1.5e-9,
            .greatestFiniteMagnitude,
        ])
    func numbers(_ number: Double) throws {
        let read = try JSONReader.read(JSONValue.number(number).serialized)
        #expect(read == .number(number))
    }
}

/// xorshift: the same numbers each run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
