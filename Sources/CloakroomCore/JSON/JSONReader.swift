/// A strict reader of JSON text (RFC 8259) for input that an attacker wrote.
///
/// It refuses input that other parsers accept and interpret in different ways, so that no parser behind us reads the
/// same bytes differently: duplicate member names (also when one is spelled with escapes), invalid UTF-8 and lone
/// surrogates, a byte order mark, depth and size beyond the limits, numbers that no 64-bit type holds.
package struct JSONReader {
    /// The reason of the refusal, without quoting the input.
    package struct Failure: Error, Hashable, Sendable {
        package let reason: String
    }

    private let bytes: [UInt8]
    private var index = 0
    private let maximumDepth: Int

    /// - Parameter maximumDepth: how deeply arrays and objects may nest.
    package static func read(_ bytes: [UInt8], maximumDepth: Int = 8) throws(Failure) -> JSONValue {
        guard bytes.allSatisfy({ $0 < 0x80 }) || String(validating: bytes, as: UTF8.self) != nil else {
            throw Failure(reason: "invalid UTF-8")
        }
        var reader = JSONReader(bytes: bytes, maximumDepth: maximumDepth)
        let value = try reader.value(depth: 0)
        reader.skipWhiteSpace()
        guard reader.index == bytes.count else { throw Failure(reason: "something follows the JSON value") }
        return value
    }

    private init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    private var current: UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard depth <= maximumDepth else { throw Failure(reason: "nested too deeply") }
        skipWhiteSpace()
        switch current {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONObject {
        var object = JSONObject()
        var names: Set<[UInt8]> = []
        // The number of claims of an access token. Not for nested objects: thousands of empty ones must stay small.
        if depth == 0 { object.reserveCapacity(12) }
        index += 1
        skipWhiteSpace()
        if take("}") { return object }
        repeat {
            skipWhiteSpace()
            guard current == UInt8(ascii: "\"") else { throw Failure(reason: "a member name was expected") }
            let name = try string()
            guard Self.isNew(name, in: object, &names) else { throw Failure(reason: "a member name stands twice") }
            skipWhiteSpace()
            guard take(":") else { throw Failure(reason: "a colon was expected") }
            object.append(name, try value(depth: depth + 1))
            skipWhiteSpace()
        } while take(",")
        guard take("}") else { throw Failure(reason: "an object does not end") }
        return object
    }

    /// Up to this number of members, names are compared, which is faster than hashing. Beyond it, comparing would take
    /// time quadratic in the size of an attacker's input.
    private static let fewMembers = 16

    /// Compares names by bytes: String equality would treat two different spellings of one character as the same.
    /// - Parameter names: all names, once there are more than `fewMembers`.
    private static func isNew(_ name: String, in object: JSONObject, _ names: inout Set<[UInt8]>) -> Bool {
        let members = object.members
        guard members.count >= fewMembers else {
            return !members.contains { $0.name == name && $0.name.utf8.elementsEqual(name.utf8) }
        }
        if names.isEmpty { names = Set(members.map { Array($0.name.utf8) }) }
        return names.insert(Array(name.utf8)).inserted
    }

    private mutating func array(depth: Int) throws(Failure) -> [JSONValue] {
        var array: [JSONValue] = []
        index += 1
        skipWhiteSpace()
        if take("]") { return array }
        repeat {
            array.append(try value(depth: depth + 1))
            skipWhiteSpace()
        } while take(",")
        guard take("]") else { throw Failure(reason: "an array does not end") }
        return array
    }

    private mutating func string() throws(Failure) -> String {
        index += 1
        let start = index
        while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { index += 1 }
        if take("\"") { return String(decoding: bytes[start..<(index - 1)], as: UTF8.self) }
        return try escapedString(from: start)
    }

    /// - Parameter start: the start of a string that has no escapes before `index`.
    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var output = Array(bytes[start..<index])
        while let byte = current {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: output, as: UTF8.self)
            case UInt8(ascii: "\\"):
                output.append(contentsOf: try escape())
            case 0..<0x20:
                throw Failure(reason: "a control character in a string")
            default:
                output.append(byte)
            }
        }
        throw Failure(reason: "a string does not end")
    }

    private mutating func escape() throws(Failure) -> [UInt8] {
        guard let byte = current else { throw Failure(reason: "a string does not end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw Failure(reason: "an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(Failure) -> [UInt8] {
        var units = [try hexadecimalUnit()]
        if UTF16.isLeadSurrogate(units[0]) {
            guard take("\\"), take("u") else { throw Failure(reason: "a lone surrogate") }
            units.append(try hexadecimalUnit())
        }
        guard let text = String(validating: units, as: UTF16.self) else { throw Failure(reason: "a lone surrogate") }
        return Array(text.utf8)
    }

    private mutating func hexadecimalUnit() throws(Failure) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw Failure(reason: "four hexadecimal digits were expected")
            }
            unit = unit << 4 | UInt16(digit)
            index += 1
        }
        return unit
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = index
        _ = take("-")
        let firstDigit = index
        try digits()
        guard bytes[firstDigit] != UInt8(ascii: "0") || index == firstDigit + 1 else {
            throw Failure(reason: "a number begins with a zero")
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            try digits()
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let literal = String(decoding: bytes[start..<index], as: UTF8.self)
        // Longer literals carry no more value than these, only parsing time.
        guard literal.utf8.count <= 32 else { throw Failure(reason: "a number is too long") }
        if isInteger {
            guard let value = Int64(literal) else { throw Failure(reason: "a number is out of range") }
            return .integer(value)
        }
        guard let value = Double(literal), value.isFinite else { throw Failure(reason: "a number is out of range") }
        return .number(value)
    }

    private mutating func digits() throws(Failure) {
        let start = index
        while let byte = current, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { index += 1 }
        guard index > start else { throw Failure(reason: "a JSON value was expected") }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        for position in 0..<text.utf8CodeUnitCount {
            guard current == text.utf8Start[position] else { throw Failure(reason: "a JSON value was expected") }
            index += 1
        }
        return value
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipWhiteSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }
}
